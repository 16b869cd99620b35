import type { DeviceNode } from '../host/device-node.ts';
import type { DevicePicture } from '../host/device-picture.ts';
import type { Holder } from '../host/holders.ts';
import type { PciFunction } from '../host/pci-function.ts';
import type { Use } from '../host/uses.ts';
import { type PciAddress, pciSlot } from '../words/pci-address.ts';
import { type HeldStep, heldOf } from '../words/step.ts';

/** The picture by the keys that the checks ask for, so that their work grows with the number of functions and no faster. */
export interface DeviceIndex {
  readonly uses: ReadonlyMap<PciAddress, readonly Use[]>;
  readonly nodes: ReadonlyMap<PciAddress, readonly DeviceNode[]>;
  readonly holders: ReadonlyMap<string, readonly Holder[]>;
  readonly cards: ReadonlyMap<string, readonly PciFunction[]>;
  /** Which other guest holds a function. */
  readonly guests: ReadonlyMap<PciAddress, string>;
}

/** Sorts a picture and what other guests hold into an index. */
export function indexDevices(picture: DevicePicture, held: readonly HeldStep[]): DeviceIndex {
  return {
    uses: groupBy(picture.uses, ({ address }) => address),
    nodes: groupBy(picture.nodes, ({ address }) => address),
    holders: groupBy(picture.holders, ({ key }) => key),
    cards: groupBy(picture.functions.values(), ({ address }) => pciSlot(address)),
    guests: new Map(heldOf(held, 'driver').map(({ guest, step }) => [step.address, guest])),
  };
}

function groupBy<K, V>(values: Iterable<V>, keyOf: (value: V) => K): ReadonlyMap<K, readonly V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}
