import type { PciFunction } from '../host/pci-function.ts';
import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { isHarmlessInGroup } from '../words/vfio-driver.ts';
import type { DeviceIndex } from './device-index.ts';
import { type Chosen, type DeviceInput, listed } from './device-input.ts';
import { blocksGroup } from './group-rule.ts';

/** What becomes of the functions that nobody named but that share a group with those that somebody did. */
export interface GroupVerdict {
  /** To be left without a driver while the guest runs. */
  readonly parked: readonly PciFunction[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
}

/**
 * Whether each touched group can be opened as a whole: VFIO demands that every member is on a VFIO driver, on none, on one that
 * leaves DMA to others, or a bridge (Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs").
 */
export function judgeGroups(
  { wishes, picture }: DeviceInput,
  chosen: readonly Chosen[],
  index: DeviceIndex,
): GroupVerdict {
  const named = new Map(chosen.map((one) => [one.fn.address, one]));
  const groups = new Set(chosen.map(({ fn }) => fn.group).filter((group) => group !== null));
  const parked: PciFunction[] = [];
  const refusals: Refusal[] = [];
  const notes: string[] = [];
  for (const group of groups) {
    const others = (picture.groups.get(group) ?? []).filter((address) => !named.has(address));
    const blockers: string[] = [];
    for (const address of others) {
      const fn = picture.functions.get(address);
      const holder = index.guests.get(address);
      if (fn === undefined) {
        blockers.push(`${address} (cannot be read)`);
      } else if (holder !== undefined) {
        refusals.push(sharedWithGuest(group, address, holder));
      } else if (fn.isBridge) {
        // Before Linux 5.19 any bridge was fine, since then its driver has to say so
        if (!isHarmlessInGroup(fn.driver)) notes.push(bridgeNote(fn, group));
      } else if (blocksGroup(fn)) {
        if (wishes.siblings === 'park') parked.push(fn);
        else blockers.push(`${address} (${fn.driver})`);
      }
    }
    if (blockers.length > 0) refusals.push(notViable(group, blockers, wishes.siblings));
  }
  return { parked, refusals, notes };
}

function notViable(group: number, blockers: readonly string[], siblings: 'refuse' | 'park'): Refusal {
  const one = blockers.length === 1;
  return {
    id: 'group-not-viable',
    summary: `Cannot give IOMMU group ${group} to the guest: ${listed(blockers)} ${one ? 'belongs' : 'belong'} to it too, every member must go along or be without a driver`,
    remedy:
      siblings === 'park'
        ? 'See why it cannot be read (passqemu devices), then start the guest again'
        : `Name ${one ? 'it' : 'them'} under [devices] too, or write "siblings = park" under [options] to leave ${one ? 'it' : 'them'} without a driver while the guest runs`,
  };
}

function sharedWithGuest(group: number, address: PciAddress, guest: string): Refusal {
  return {
    id: 'held-by-guest',
    summary: `Cannot give IOMMU group ${group} to the guest: ${address} of it is held by guest ${guest}, a group must belong to one guest`,
    remedy: `Stop ${guest} first (passqemu status)`,
  };
}

function bridgeNote({ address, driver }: PciFunction, group: number): string {
  return `The bridge ${address} of IOMMU group ${group} is bound to ${driver}: kernels from 5.19 on may refuse the group for that`;
}
