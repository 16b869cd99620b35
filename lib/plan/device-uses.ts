import type { PciFunction } from '../host/pci-function.ts';
import { LAYERS, type Use } from '../host/uses.ts';
import type { Refusal } from '../words/errors.ts';
import { pciKind } from '../words/pci-class.ts';
import { listed } from './device-input.ts';

/** The refusals of one function that the host uses: one for its disks, one for the way out of the machine. */
export function refuseUses(name: string, uses: readonly Use[], allowDefaultRoute: boolean): Refusal[] {
  const refusals: Refusal[] = [];
  const grave = condense(uses.filter(({ severity }) => severity === 'refuse'));
  const routes = grave.filter(({ why }) => why === 'default-route');
  const others = grave.filter(({ why }) => why !== 'default-route');
  if (others.length > 0) {
    refusals.push({
      id: 'in-use',
      summary: `Cannot take ${name}: ${listed(others.map(describeUse))}, nothing of it must be in use`,
      remedy: [...new Set(others.map(remedyOf))].join('; '),
    });
  }
  if (routes.length > 0 && !allowDefaultRoute) {
    refusals.push({
      id: 'default-route',
      summary: `Cannot take ${name}: ${listed(routes.map(describeUse))}, the host must keep its way out`,
      remedy: 'Give another card, or write "allow-default-route = yes" under [options] if that is meant',
    });
  }
  return refusals;
}

/** What the user should know of a function that will be taken: what of its network does not come back, the keyboard on it. */
export function noteUses(name: string, fn: PciFunction, uses: readonly Use[]): string[] {
  const notes: string[] = [];
  if (pciKind(fn.classCode) === 'network' && fn.driver !== null && !fn.isVfio) {
    const now = [...new Set(uses.filter(({ why }) => NETWORK.includes(why)).map(describeUse))];
    notes.push(
      `${name}: what is set on a network card (addresses, bridge or bond, number of virtual functions) does not come back by itself; ` +
        `a release-last command can see to that${now.length === 0 ? '' : ` (now: ${listed(now)})`}`,
    );
  }
  const keyboards = uses.filter(({ why }) => why === 'usb-keyboard');
  if (keyboards.length > 0) {
    const names = listed(keyboards.map(({ what }) => what));
    const only = keyboards.some(({ severity }) => severity === 'warn');
    notes.push(
      only
        ? `${name}: the only keyboard of the machine goes with it (${names})`
        : `${name}: the keyboard ${names} goes with it`,
    );
  }
  return notes;
}

/** One use in words: "/ is mounted from nvme0n1p2". */
export function describeUse({ why, what, on }: Omit<Use, 'address'>): string {
  switch (why) {
    case 'mount':
      return `${what} is mounted from ${on}`;
    case 'usb-storage-mounted':
      return `${what} is mounted from the USB disk ${on}`;
    case 'swap':
      return `swap lies on ${on}`;
    case 'lvm':
      return `LVM has ${what} active on ${on}`;
    case 'luks':
      return `LUKS has ${what} open on ${on}`;
    case 'md':
      return `the RAID array ${what} runs on ${on}`;
    case 'zfs':
      return `the ZFS pool ${what} is imported from ${on}`;
    case 'btrfs':
      return `the btrfs ${what} is mounted from ${on}`;
    case 'bcache':
      return `bcache has ${on}`;
    case 'dm':
      return `the device mapper has ${what} on ${on}`;
    case 'claimed':
      return `the kernel has ${what} claimed`;
    case 'default-route':
      return `the default route (${what}) leads over ${on}`;
    case 'bridge':
      return `${on} is in the bridge ${what}`;
    case 'bond':
      return `${on} is in the bond ${what}`;
    case 'address':
      return `${what} has addresses`;
    case 'usb-keyboard':
      return `the keyboard ${what} is on it`;
  }
}

const NETWORK: readonly Use['why'][] = ['default-route', 'bridge', 'bond', 'address'];
const STACKED: readonly Use['why'][] = ['lvm', 'luks', 'md', 'dm', 'bcache'];

/** Leaves out layers that something else stands on: the mount says it all. */
function condense(uses: readonly Use[]): readonly Use[] {
  const below = new Set(uses.flatMap(({ what, on }) => on.split(LAYERS).filter((layer) => layer !== what)));
  return uses.filter(({ why, what }) => !STACKED.includes(why) || !below.has(what));
}

function remedyOf({ why, what, on }: Use): string {
  switch (why) {
    case 'mount':
    case 'usb-storage-mounted':
      return what === '/' ? 'The host runs from it: give the guest another disk' : `Unmount ${what}`;
    case 'swap':
      return `swapoff ${what}`;
    case 'lvm':
      return 'Deactivate its volume group (vgchange -an), and keep the host from activating it (lvm.conf, global_filter)';
    case 'luks':
      return `cryptsetup close ${what}`;
    case 'md':
      return `mdadm --stop /dev/${what}`;
    case 'zfs':
      return `zpool export ${what}`;
    case 'dm':
      return `dmsetup remove ${what}`;
    case 'bcache':
      return `Stop bcache on ${on} (echo 1 > /sys/block/${on}/bcache/stop)`;
    default:
      return `See who has it (lsblk, fuser -vm ${why === 'claimed' ? what : `/dev/${on.split(LAYERS)[0]}`})`;
  }
}
