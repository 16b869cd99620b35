/** What is known of an error of QEMU's, and what helps. */
export interface KnownError {
  readonly id: string;
  readonly summary: string;
  readonly remedy: string;
}

interface Pattern extends KnownError {
  /** Each of these texts must be in the line. */
  readonly texts: readonly string[];
}

/**
 * What QEMU's own errors mean, by pieces of their text (hw/vfio, accel/kvm, block/file-posix.c, util/qemu-sockets.c of 7.2 and 10.0).
 * The first that fits a line counts.
 */
const KNOWN: readonly Pattern[] = [
  {
    id: 'group-not-viable',
    texts: ['is not viable'],
    summary: 'Another function of the same IOMMU group is still used by the host',
    remedy:
      'passqemu devices shows the group; give the guest its other functions too, or set siblings = park',
  },
  {
    id: 'no-iommu',
    texts: ['no iommu_group found'],
    summary: 'The device is in no IOMMU group: the IOMMU is off',
    remedy: 'Turn on VT-d or AMD-Vi in the firmware, and intel_iommu=on on the kernel command line (Intel)',
  },
  {
    id: 'stuck-in-d3',
    texts: ['stuck in D3'],
    summary: 'The device does not wake up from its power saving (D3)',
    remedy:
      'Only suspending and waking the host or turning its power off brings it back; then set d3cold_allowed to 0 for the device and its root port before the next start, or load vfio-pci with disable_idle_d3=1',
  },
  {
    id: 'memlock',
    texts: ['VFIO_MAP_DMA', 'Cannot allocate memory'],
    summary: 'QEMU may not lock as much memory as the device needs (RLIMIT_MEMLOCK)',
    remedy: 'Start it by passqemu run, which sets the limit; dmesg shows the limit that was exceeded',
  },
  {
    id: 'dma-address-width',
    texts: ['VFIO_MAP_DMA', 'Invalid argument'],
    summary: "The guest has put a device's window where the IOMMU's addresses do not reach",
    remedy: 'Set host-phys-bits-limit=39 for the CPU, or give the guest less memory',
  },
  {
    id: 'dma-map',
    texts: ['VFIO_MAP_DMA'],
    summary: "The IOMMU cannot map the guest's memory for the device",
    remedy: 'dmesg tells why',
  },
  {
    id: 'bar',
    texts: ['Failed to mmap', 'BAR'],
    summary: 'A window (BAR) of the device cannot be mapped: something on the host still has part of it',
    remedy:
      'Mostly the boot framebuffer: grep -i bootfb /proc/iomem; boot with initcall_blacklist=sysfb_init or on another card',
  },
  {
    id: 'rom',
    texts: ['Device option ROM contents are probably invalid'],
    summary: "The card's video BIOS cannot be read from the card",
    remedy:
      'Save it while another card is the first one (passqemu rom dump) and name it as rom in the profile',
  },
  {
    id: 'no-reset',
    texts: ['Cannot reset device'],
    summary: 'The device cannot be reset, so it starts as its last user left it',
    remedy:
      'passqemu devices shows its reset methods; all functions of its slot must go to the guest for a bus reset',
  },
  {
    id: 'group-busy',
    texts: ['/dev/vfio/', 'Device or resource busy'],
    summary: 'Another process has the IOMMU group open',
    remedy: 'passqemu status and passqemu devices show who; a group can be opened once',
  },
  {
    id: 'group-permission',
    texts: ['/dev/vfio/', 'Permission denied'],
    summary: 'QEMU may not open the IOMMU group',
    remedy:
      'Start it as root by passqemu run: with user in the profile QEMU gives up root when it has opened what it needs',
  },
  {
    id: 'no-such-device',
    texts: ['vfio', 'no such host device'],
    summary: 'There is no such PCI function any more',
    remedy: 'passqemu devices shows which there are',
  },
  {
    id: 'kvm-missing',
    texts: ['Could not access KVM kernel module', 'No such file'],
    summary: 'There is no KVM on this host',
    remedy: 'Turn on VT-x or AMD-V in the firmware and load kvm_intel or kvm_amd',
  },
  {
    id: 'kvm-permission',
    texts: ['Could not access KVM kernel module', 'Permission denied'],
    summary: 'This user may not use KVM',
    remedy: 'Add the user to the group kvm and log in again',
  },
  {
    id: 'kvm-busy',
    texts: ['failed to initialize kvm', 'Device or resource busy'],
    summary: 'Another hypervisor has the processor',
    remedy: 'Stop VirtualBox or VMware first',
  },
  {
    id: 'disk-in-use',
    texts: ['Failed to get', 'lock'],
    summary: 'A disk of the guest is used by another QEMU',
    remedy: 'Stop the other guest; a disk that several only read needs readonly',
  },
  {
    id: 'no-direct-io',
    texts: ['does not support O_DIRECT'],
    summary:
      'A disk of the guest is on a file system that has no direct access (tmpfs before Linux 6.6, some FUSE)',
    remedy: 'Give that disk cache = writeback, or keep it elsewhere',
  },
  {
    id: 'port-in-use',
    texts: ['Address already in use'],
    summary: 'A port of the guest (VNC, SPICE, a forwarded one) is taken',
    remedy: 'ss -ltnp shows by whom; name another one in the profile',
  },
  {
    id: 'memory-short',
    texts: ['unable to map backing store for guest RAM'],
    summary: 'There is too little of the memory that the guest is to have',
    remedy: 'passqemu topology shows the free huge pages of each node',
  },
  {
    id: 'memory-limit',
    texts: ['cannot set up guest memory', 'Cannot allocate memory'],
    summary: 'The host has too little memory for the guest',
    remedy: 'Give the guest less memory, or free some',
  },
  {
    id: 'permission',
    texts: ['Permission denied'],
    summary: 'QEMU may not open a file that the profile names',
    remedy: 'Look at the owner and mode of that file and of the folders above it',
  },
];

/** The first known errors in what QEMU has said, each once. */
export function explainQemu(output: string): KnownError[] {
  const found = new Map<string, KnownError>();
  for (const line of output.split('\n')) {
    const known = KNOWN.find(({ texts }) => texts.every((text) => line.includes(text)));
    if (known !== undefined && !found.has(known.id)) {
      const { id, summary, remedy } = known;
      found.set(id, { id, summary, remedy });
    }
  }
  return [...found.values()];
}
