import { type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';

/** A disk or partition that hangs on a PCI function. */
export interface BlockDevice {
  readonly name: string;
  /** Its folder below /sys/devices. */
  readonly path: string;
  /** major:minor; null where the kernel keeps it hidden (a path of a multipath NVMe). */
  readonly rdev: string | null;
  /** The asked-for function it hangs on. */
  readonly address: PciAddress;
}

/**
 * The disks and partitions that would go away with these functions, in the order of their names: everything in
 * /sys/class/block whose device path leads through one of them, and NVMe namespaces that are reached through several
 * controllers (nvme-subsystem: their own path is virtual). See Documentation/ABI/stable/sysfs-block.
 */
export function readBlockDevices(host: Host, addresses: readonly PciAddress[]): BlockDevice[] {
  if (addresses.length === 0) return [];
  const wanted = new Set<string>(addresses);
  const subsystems = new Map<string, PciAddress | null>();
  const found: BlockDevice[] = [];
  for (const name of host.list('/sys/class/block')) {
    const path = host.realPath(`/sys/class/block/${name}`);
    if (path === null) continue;
    const address = path.startsWith('/sys/devices/virtual/nvme-subsystem/')
      ? behindSubsystem(host, path, wanted, subsystems)
      : behindPath(path, wanted);
    if (address === null) continue;
    found.push({ name, path, rdev: host.readOptional(`${path}/dev`), address });
  }
  return found;
}

/** The asked-for function on a device's path, the outermost where there are several (a disk behind a VMD). */
export function behindPath(path: string, wanted: ReadonlySet<string>): PciAddress | null {
  for (const part of path.split('/')) {
    if (wanted.has(part)) return parsePciAddress(part);
  }
  return null;
}

function behindSubsystem(
  host: Host,
  path: string,
  wanted: ReadonlySet<string>,
  known: Map<string, PciAddress | null>,
): PciAddress | null {
  const folder = path.split('/').slice(0, 6).join('/');
  const before = known.get(folder);
  if (before !== undefined) return before;
  let address: PciAddress | null = null;
  for (const controller of host.list(folder).filter((name) => /^nvme\d+$/.test(name))) {
    address ??= behindPath(host.realPath(`${folder}/${controller}`) ?? '', wanted);
  }
  known.set(folder, address);
  return address;
}
