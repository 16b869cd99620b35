import type { PciAddress } from '../words/pci-address.ts';
import { type BlockDevice, readBlockDevices } from './block-devices.ts';
import type { Host } from './host.ts';
import { type Mounts, readMounts, unescapeMount } from './mounts.ts';
import { LAYERS, type Use } from './uses.ts';

/**
 * How the host uses the disks on these functions: mounts, swap, and everything stacked on top (device mapper with LVM and LUKS,
 * md, bcache), btrfs and ZFS by their own lists; at last the kernel's own word, whether it lets the disk be claimed.
 */
export function readStorageUses(host: Host, addresses: readonly PciAddress[]): Use[] {
  const disks = readBlockDevices(host, addresses);
  if (disks.length === 0) return [];
  const look: Look = {
    host,
    mounts: readMounts(host),
    swaps: readSwaps(host),
    pools: readBtrfsMembers(host),
    uses: [],
  };
  for (const disk of disks) {
    const before = look.uses.length;
    const isUsb = disk.path.split('/').some((part) => /^usb\d+$/.test(part));
    lookAt(look, disk.address, { ...disk, chain: [], isUsb }, new Set());
    if (look.uses.length === before && isClaimed(host, disk)) {
      look.uses.push({
        address: disk.address,
        why: 'claimed',
        what: `/dev/${disk.name}`,
        on: disk.name,
        severity: 'refuse',
      });
    }
  }
  // A disk is claimed as long as one of its partitions is: what was found there says it better
  return look.uses.filter((use) => use.why !== 'claimed' || !explains(disks, look.uses, use));
}

interface Look {
  readonly host: Host;
  readonly mounts: Mounts;
  readonly swaps: ReadonlySet<string>;
  readonly pools: ReadonlyMap<string, BtrfsMember>;
  readonly uses: Use[];
}

interface Layer {
  readonly name: string;
  readonly path: string;
  readonly rdev: string | null;
  /** What lies below it, the disk first. */
  readonly chain: readonly string[];
  readonly isUsb: boolean;
}

/** Notes how one block device is used, then whatever is stacked on it. */
function lookAt(look: Look, address: PciAddress, layer: Layer, seen: Set<string>): void {
  if (seen.has(layer.name) || seen.size > 1000) return;
  seen.add(layer.name);
  const { host, mounts, swaps, pools, uses } = look;
  const label = readLabel(host, layer);
  const on = [...layer.chain, label].join(LAYERS);
  const add = (why: Use['why'], what: string) => uses.push({ address, why, what, on, severity: 'refuse' });

  const pool = pools.get(layer.name);
  const place = (layer.rdev === null ? undefined : mounts.byDevice.get(layer.rdev)) ?? placeOf(mounts, pool);
  if (place !== undefined) add(layer.isUsb ? 'usb-storage-mounted' : 'mount', place);
  else if (pool !== undefined) add('btrfs', pool.uuid);
  if (swaps.has(layer.name)) add('swap', `/dev/${layer.name}`);
  const zfs = readZfsPool(host, layer);
  if (zfs !== null) add('zfs', zfs);
  if (host.exists(`${layer.path}/bcache`) && !layer.name.startsWith('bcache')) add('bcache', layer.name);

  for (const name of host.list(`${layer.path}/holders`)) {
    const path = host.realPath(`/sys/class/block/${name}`);
    if (path === null) continue;
    const upper = {
      name,
      path,
      rdev: host.readOptional(`${path}/dev`),
      chain: [...layer.chain, label],
      isUsb: layer.isUsb,
    };
    add(whyStacked(host, upper), readLabel(host, upper));
    lookAt(look, address, upper, seen);
    // Partitions of a RAID array have no holders link of their own
    for (const part of host
      .list(path)
      .filter((one) => one.startsWith(name) && host.exists(`${path}/${one}/partition`))) {
      const rdev = host.readOptional(`${path}/${part}/dev`);
      lookAt(look, address, { ...upper, name: part, path: `${path}/${part}`, rdev }, seen);
    }
  }
}

/** Who made a stacked device: its dm/uuid prefix (libdevmapper's convention), md, bcache. */
function whyStacked(host: Host, { name, path }: Layer): Use['why'] {
  const uuid = host.readOptional(`${path}/dm/uuid`) ?? '';
  if (uuid.startsWith('LVM-')) return 'lvm';
  if (uuid.startsWith('CRYPT-')) return 'luks';
  if (host.exists(`${path}/md`)) return 'md';
  return name.startsWith('bcache') ? 'bcache' : 'dm';
}

/** The name people know a device by: the mapper's, else the kernel's. */
function readLabel(host: Host, layer: Layer): string {
  return (layer.name.startsWith('dm-') ? host.readOptional(`${layer.path}/dm/name`) : null) ?? layer.name;
}

interface BtrfsMember {
  readonly uuid: string;
  readonly members: readonly string[];
}

/** Members of every mounted btrfs: their mounts carry a device number of their own. See Documentation/ABI and fs/btrfs/sysfs.c. */
function readBtrfsMembers(host: Host): ReadonlyMap<string, BtrfsMember> {
  const found = new Map<string, BtrfsMember>();
  for (const uuid of host.list('/sys/fs/btrfs')) {
    const members = host.list(`/sys/fs/btrfs/${uuid}/devices`);
    for (const name of members) found.set(name, { uuid, members });
  }
  return found;
}

function placeOf(mounts: Mounts, pool: BtrfsMember | undefined): string | undefined {
  return pool?.members
    .map((name) => mounts.bySource.get(`/dev/${name}`))
    .find((place) => place !== undefined);
}

/** The kernel's names of the devices swapped to; swap files are found as mounts. */
function readSwaps(host: Host): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of (host.readOptional('/proc/swaps') ?? '').split('\n').slice(1)) {
    const [path = '', type] = line.split(/\s+/);
    if (type !== 'partition') continue;
    const real = host.realPath(unescapeMount(path)) ?? unescapeMount(path);
    names.add(real.slice(real.lastIndexOf('/') + 1));
  }
  return names;
}

/** The imported pool that a device is a member of, from udev's database (E:ID_FS_TYPE, E:ID_FS_LABEL) and ZFS's own list. */
function readZfsPool(host: Host, layer: Layer): string | null {
  const facts = layer.rdev === null ? null : host.readOptional(`/run/udev/data/b${layer.rdev}`);
  if (facts == null || !/^E:ID_FS_TYPE=zfs_member$/m.test(facts)) return null;
  const pool = /^E:ID_FS_LABEL=([\w.: -]+)$/m.exec(facts)?.[1];
  return pool !== undefined && host.exists(`/proc/spl/kstat/zfs/${pool}`) ? pool : null;
}

/** The kernel claims what it mounts, swaps to or stacks upon, in every namespace. Optical drives would close their tray. */
function isClaimed(host: Host, disk: BlockDevice): boolean {
  return disk.rdev !== null && !disk.name.startsWith('sr') && host.claimable(`/dev/${disk.name}`) === 'busy';
}

function explains(disks: readonly BlockDevice[], uses: readonly Use[], claim: Use): boolean {
  const disk = disks.find(({ name }) => name === claim.on);
  const parts = disks
    .filter((part) => disk !== undefined && part.path.startsWith(`${disk.path}/`))
    .map(({ name }) => name);
  return uses.some((use) => parts.includes(use.on.split(LAYERS)[0]!));
}
