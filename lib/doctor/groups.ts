import type { Checkup } from '../host/checkup.ts';
import type { PciFunction } from '../host/pci-function.ts';
import { blocksGroup } from '../plan/group-rule.ts';
import { type PciAddress, pciSlot } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { type Check, fail, ok, unknown, type Verdict, warn, withSeen } from './check.ts';
import { functionsOf, namedAll } from './describe.ts';

/** Whether what belongs together can be given together. */
export const GROUP_CHECKS: readonly Check[] = [
  {
    id: 'groups.complete',
    title: 'Every function has a group',
    meaning:
      'A function in no IOMMU group cannot be passed; the kernel leaves some out (igfx_off, broken firmware tables).',
    judge: (checkup) =>
      inGroups(checkup, (functions) => {
        const without = functions.filter(
          ({ group, isBridge, driver }) => group === null && !isBridge && driver !== null,
        );
        return without.length === 0
          ? ok('Every function is in an IOMMU group')
          : warn(
              `${namedAll(checkup, addressesOf(without))} ${without.length === 1 ? 'is' : 'are'} in no IOMMU group`,
              'The kernel’s log says why (journalctl -k -g "DMAR|AMD-Vi|iommu"); without igfx_off and with newer firmware it may be in one',
            );
      }),
  },
  {
    id: 'groups.graphics-alone',
    title: 'Graphics cards alone in their groups',
    meaning:
      'All members of a group go to one guest or stay without a driver; strangers in a card’s group must go with it.',
    judge: (checkup) =>
      inGroups(checkup, (functions) => {
        const crowded = functions.filter(
          (fn) =>
            pciKind(fn.classCode) === 'display' && fn.group !== null && strangersOf(fn, functions).length > 0,
        );
        if (crowded.length === 0) return ok('No graphics card shares its group with another device');
        const strangers = [...new Set(crowded.flatMap((fn) => addressesOf(strangersOf(fn, functions))))];
        return warn(
          `${namedAll(checkup, addressesOf(crowded))} ${crowded.length === 1 ? 'shares its group' : 'share their groups'} with ${namedAll(checkup, strangers)}`,
          'Put the card into another slot (one of the processor, not of the chipset), turn on ACS in the firmware’s setup, or give the others too (profile: siblings = park leaves them without a driver)',
        );
      }),
  },
  {
    id: 'groups.viable',
    title: 'Groups of functions on vfio-pci',
    meaning:
      'QEMU opens a group only when none of its members is on a host driver ("group N is not viable").',
    judge: (checkup) =>
      inGroups(checkup, (functions) => {
        const groups = new Set(functions.filter(({ isVfio }) => isVfio).map(({ group }) => group));
        const blockers = functions.filter((fn) => groups.has(fn.group) && blocksGroup(fn));
        return blockers.length === 0
          ? ok('No group of a function on vfio-pci has a member on a host driver')
          : fail(
              `${namedAll(checkup, addressesOf(blockers))} on ${[...new Set(blockers.map(({ driver }) => driver))].join(', ')} ${blockers.length === 1 ? 'keeps a group' : 'keep groups'} from being opened`,
              'Name these functions in the profile’s [devices] too, or write siblings = park under [options]',
            );
      }),
  },
  {
    id: 'groups.whole-cards',
    title: 'Cards on vfio-pci as a whole',
    meaning:
      'A card whose sound or USB function stays with the host cannot be reset as a whole, and often hangs the guest.',
    judge: (checkup) =>
      withSeen(checkup.functions, (tree) => {
        const functions = [...tree.values()];
        const slots = new Set(
          functions
            .filter((fn) => fn.isVfio && fn.physicalFunction === null)
            .map(({ address }) => pciSlot(address)),
        );
        const left = functions.filter(
          (fn) =>
            slots.has(pciSlot(fn.address)) &&
            !fn.isVfio &&
            !fn.isBridge &&
            fn.driver !== null &&
            fn.physicalFunction === null,
        );
        return left.length === 0
          ? ok('Every card on vfio-pci is there with all its functions')
          : warn(
              `${namedAll(checkup, addressesOf(left))} ${left.length === 1 ? 'is' : 'are'} still with the host while the rest of the card is on vfio-pci`,
              'Give the guest all functions of the card (same bus and slot, multifunction="on")',
            );
      }),
  },
];

function inGroups(checkup: Checkup, judge: (functions: readonly PciFunction[]) => Verdict): Verdict {
  return withSeen(checkup.functions, () =>
    checkup.iommu.enabled ? judge(functionsOf(checkup)) : unknown('there are no IOMMU groups'),
  );
}

function strangersOf(fn: PciFunction, functions: readonly PciFunction[]): readonly PciFunction[] {
  return functions.filter(
    (other) => other.group === fn.group && !other.isBridge && pciSlot(other.address) !== pciSlot(fn.address),
  );
}

function addressesOf(functions: readonly PciFunction[]): readonly PciAddress[] {
  return functions.map(({ address }) => address);
}
