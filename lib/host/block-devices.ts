import { type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';

/** A disk or partition that hangs on a PCI function. */
export interface BlockDevice {
  readonly name: string;
  /** Its folder below /sys/devices. */
  readonly path: string;
  /** major:minor; null where the kernel keeps it hidden (a path of a multipath NVMe). */
  readonly rdev: string | null;
  /** The asked-for function it hangs on; a disk behind several of them (a VMD and an NVMe) is listed for each. */
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
  const subsystems = new Map<string, readonly PciAddress[]>();
  const found: BlockDevice[] = [];
  for (const name of host.list('/sys/class/block')) {
    const path = host.realPath(`/sys/class/block/${name}`);
    if (path === null) continue;
    const behind = path.startsWith('/sys/devices/virtual/nvme-subsystem/')
      ? behindSubsystem(host, path, wanted, subsystems)
      : behindPath(path, wanted);
    if (behind.length === 0) continue;
    const rdev = host.readOptional(`${path}/dev`);
    for (const address of behind) found.push({ name, path, rdev, address });
  }
  return found;
}

/** The asked-for functions on a device's path, the outermost first. */
export function behindPath(path: string, wanted: ReadonlySet<string>): PciAddress[] {
  return path
    .split('/')
    .filter((part) => wanted.has(part))
    .map((part) => parsePciAddress(part))
    .filter((address) => address !== null);
}

function behindSubsystem(
  host: Host,
  path: string,
  wanted: ReadonlySet<string>,
  known: Map<string, readonly PciAddress[]>,
): readonly PciAddress[] {
  const folder = path.split('/').slice(0, 6).join('/');
  const before = known.get(folder);
  if (before !== undefined) return before;
  const controllers = host.list(folder).filter((name) => /^nvme\d+$/.test(name));
  const behind = controllers.flatMap((name) => behindPath(host.realPath(`${folder}/${name}`) ?? '', wanted));
  known.set(folder, behind);
  return behind;
}
