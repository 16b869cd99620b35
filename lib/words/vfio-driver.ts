/**
 * Whether a driver hands its functions to user space as vfio-pci does: the generic driver or a variant of it for one kind of
 * hardware (mlx5_vfio_pci, hisi_acc_vfio_pci, nvgrace_gpu_vfio_pci, xe-vfio-pci). See Documentation/driver-api/vfio.rst.
 * A driver of another name is one too where the function has a vfio-dev/ folder: see `PciFunction.isVfio`.
 */
export function isVfioDriver(name: string | null): boolean {
  return name !== null && /(?:^|[-_])vfio[-_]pci$/.test(name);
}

/** The name by which the kernel keeps a module: dashes and underscores are one to modprobe, but not to /sys/module. */
export function moduleFolderName(module: string): string {
  return module.replaceAll('-', '_');
}

/**
 * The driver that a VFIO module registers: its own name with underscores, except for the generic one, which
 * has always been "vfio-pci". (Variant drivers use the kernel's KBUILD_MODNAME.)
 */
export function driverOfVfioModule(module: string): string {
  const name = moduleFolderName(module);
  return name === 'vfio_pci' ? 'vfio-pci' : name;
}

/**
 * Whether a driver may stay on a member of an IOMMU group that VFIO opens: none, the VFIO family, and those that let
 * somebody else manage DMA (driver_managed_dma in the kernel: the stub, the port driver, Xen's back end).
 */
export function isHarmlessInGroup(driver: string | null): boolean {
  return driver === null || isVfioDriver(driver) || ['pci-stub', 'pcieport', 'pciback'].includes(driver);
}
