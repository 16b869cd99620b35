import { describeUse } from '../lib/plan/device-uses.ts';
import { type PciAddress, pciSlot } from '../lib/words/pci-address.ts';
import { type PciKind, pciKind } from '../lib/words/pci-class.ts';
import type { DeviceReport, DevicesReport } from './devices-report.ts';

/** A card that could be given to a guest, with all of its functions: they move together. */
export interface Card {
  readonly kind: PciKind;
  readonly functions: readonly PciAddress[];
  readonly node: number | null;
  readonly name: string;
  /** What a person should know before choosing it, shortest first; empty where nothing speaks against it. */
  readonly concerns: readonly string[];
  /** Who else is in its IOMMU groups and would have to go with it or be parked. */
  readonly strangers: readonly PciAddress[];
}

/** The machine's cards in the order of their addresses; bridges, and whatever belongs to the chipset's own slots, are none. */
export function cardsOf(report: DevicesReport): Card[] {
  const slots = new Map<string, DeviceReport[]>();
  for (const device of report.devices) {
    if (device.isBridge || pciKind(device.classCode) === 'bridge') continue;
    const slot = pciSlot(device.address);
    slots.set(slot, [...(slots.get(slot) ?? []), device]);
  }
  return [...slots.values()]
    .filter((devices) => !devices.every(isOther))
    .map((devices) => cardOf(devices, report));
}

function isOther(device: DeviceReport): boolean {
  return pciKind(device.classCode) === 'other';
}

function cardOf(devices: readonly DeviceReport[], report: DevicesReport): Card {
  const main =
    devices.find((one) => pciKind(one.classCode) === 'display') ?? devices.find((one) => !isOther(one))!;
  const functions = devices.map(({ address }) => address);
  const groups = new Set(devices.map(({ group }) => group));
  const bridges = new Set(report.devices.filter(({ isBridge }) => isBridge).map(({ address }) => address));
  const strangers = report.groups
    .filter(({ id }) => groups.has(id))
    .flatMap(({ addresses }) => addresses)
    .filter((address) => !functions.includes(address) && !bridges.has(address));
  const concerns = [
    ...(groups.has(null) ? ['has no IOMMU group'] : []),
    ...(main.bootVga ? ['shows the boot screen'] : []),
    ...(strangers.length > 0 ? [`shares its group with ${strangers.join(', ')}`] : []),
    ...(devices.some(({ resettable }) => resettable) ? [] : ['cannot be reset']),
    ...devices.flatMap(({ heldBy }) => (heldBy === null ? [] : [`belongs to ${heldBy} now`])),
    ...devices.flatMap(({ inUse }) => inUse.map(describeUse)),
  ];
  return {
    kind: pciKind(main.classCode),
    functions,
    node: main.node,
    name: main.name ?? `${main.vendorId ?? '?'}:${main.deviceId ?? '?'}`,
    concerns: [...new Set(concerns)],
    strangers,
  };
}
