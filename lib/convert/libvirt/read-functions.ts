import { parseDeviceRequest } from '../../inputs/selector.ts';
import { type PciAddress, pciSlot } from '../../words/pci-address.ts';
import { addDevice } from '../add-device.ts';
import { functionNumbers } from '../guest-cards.ts';
import { OVERRIDES } from './functions.ts';
import { type Reading, readBoot, sectionOf } from './parts.ts';
import type { XmlNode } from './xml-node.ts';

interface Passed {
  readonly label: string;
  readonly address: PciAddress;
  readonly element: XmlNode | null;
}

/**
 * The functions that a domain passes, each under its label of [devices]. The metadata is read before: where it has a label
 * for the function, that one stays.
 */
export function readFunctions(reading: Reading): void {
  const { devices, domain } = reading;
  const hostdevs = devices?.all('hostdev') ?? [];
  const pci = hostdevs.filter((one) => one.attribute('type') === 'pci' && isSubsystem(one));
  let at = 0;
  const passed = domain.functions.map((fn): Passed => {
    const element = fn.source === 'hostdev' ? pci[at++]! : null;
    return { label: labelFor(fn.address, element, reading), address: fn.address, element };
  });
  for (const { label, element } of passed)
    if (element !== null) readHostdev(element, `device ${label}`, reading);
  readPlaces(passed, reading);
  for (const element of hostdevs.filter((one) => one.attribute('type') === 'mdev'))
    readMediated(element, reading);
  readOverrides(reading);
}

function isSubsystem(element: XmlNode): boolean {
  return (element.attribute('mode') ?? 'subsystem') === 'subsystem';
}

function labelFor(address: PciAddress, element: XmlNode | null, { draft, around }: Reading): string {
  const alias = /^ua-device-(.+)$/.exec(element?.one('alias')?.attribute('name') ?? '')?.[1];
  if (alias !== undefined && draft.get('devices', alias) !== null) return alias;
  const same = draft.keys('devices').find((label) => {
    const { selector } = parseDeviceRequest(label, draft.get('devices', label)!);
    return selector.by === 'address' && selector.address === address;
  });
  if (same !== undefined) return same;
  return addDevice(address, alias ?? null, draft, around);
}

function readHostdev(element: XmlNode, section: string, reading: Reading): void {
  const { draft, dropList } = reading;
  element.one('source')?.settle();
  const rom = element.one('rom');
  if (rom?.attribute('enabled') === 'no')
    dropList.add(`${rom.path}/@enabled=no`, 'a ROM is shown or not (rom-bar), or has a file');
  draft.put(section, 'romfile', rom?.attribute('file') ?? null);
  const bar = rom?.attribute('bar') ?? null;
  if (bar !== null) draft.put(section, 'rom-bar', bar === 'on' ? 'yes' : 'no');
  readBoot(element, section, reading);
  if (element.attribute('managed') !== 'yes')
    dropList.add(
      `${element.path}/@managed=no`,
      'passqemu takes the function when the guest starts and gives it back when it ends',
    );
  const model = element.one('driver')?.attribute('model') ?? null;
  if (model !== null)
    dropList.add(
      `${element.path}/driver/@model=${model}`,
      'the driver that the kernel has for it is chosen anew',
    );
  element.one('driver')?.attribute('name');
  element.one('alias')?.settle();
}

/** Functions that are on one card of the guest, and their numbers there, where that is not what happens anyway. */
function readPlaces(passed: readonly Passed[], { draft, dropList, devices }: Reading): void {
  const isQ35 = draft.get('machine', 'type') !== 'i440fx';
  const cards = new Map<string, Passed[]>();
  for (const one of passed) {
    const address = one.element?.one('address') ?? null;
    if (address === null) continue;
    const [bus = 0, slot = 0] = ['bus', 'slot'].map((part) => Number(address.attribute(part) ?? '0'));
    const isFirst = !cards.has(`${bus}:${slot}`);
    const port = isFirst && isQ35 ? tellingPort(bus, devices) : null;
    if (port !== null) draft.put(`device ${one.label}`, 'slot', port);
    if (isFirst && !isQ35 && bus === 0) draft.put(`device ${one.label}`, 'slot', slot);
    cards.set(`${bus}:${slot}`, [...(cards.get(`${bus}:${slot}`) ?? []), one]);
  }
  const alone = passed.filter(({ element }) => (element?.one('address') ?? null) === null);
  const anchors = anchorsOf(
    [...cards.values()],
    alone.map(({ address }) => pciSlot(address)),
  );
  for (const members of cards.values()) {
    const anchor = anchors.get(members) ?? null;
    if (anchor === null) {
      const host = pciSlot(members[0]!.address);
      dropList.add(
        `functions of ${host} on cards of their own in the guest`,
        'functions of one card stay on one card',
      );
      continue;
    }
    const home = members.find(({ address }) => pciSlot(address) === anchor)!;
    for (const { label, address } of members)
      if (pciSlot(address) !== anchor) draft.put(`device ${label}`, 'with', home.label);
    const usual = functionNumbers({
      members: members.map(({ label, address }) => ({ label, address, number: null })),
    });
    for (const { label, element } of members) {
      const number = Number(element!.one('address')!.attribute('function') ?? '0');
      if (number !== usual.get(label)) draft.put(`device ${label}`, 'function', number);
    }
  }
  for (const { element } of passed) element?.one('address')?.settle();
}

/**
 * Which card of the host each card of the guest stands for: functions of others are `with` one of it. Cards with the fewest
 * to choose from choose first, their own function 0 before others; one that finds none left is a part of another.
 */
function anchorsOf(
  cards: readonly (readonly Passed[])[],
  taken: readonly string[],
): ReadonlyMap<readonly Passed[], string> {
  const slotsOf = (members: readonly Passed[]) => [
    ...new Set(members.map(({ address }) => pciSlot(address))),
  ];
  const anchors = new Map<readonly Passed[], string>();
  for (const members of cards.toSorted((a, b) => slotsOf(a).length - slotsOf(b).length)) {
    const isFree = (slot: string) => ![...taken, ...anchors.values()].includes(slot);
    const first = members.find(
      ({ element }) => Number(element!.one('address')!.attribute('function') ?? '0') === 0,
    );
    const free = [first ?? members[0]!, ...members].map(({ address }) => pciSlot(address)).find(isFree);
    if (free !== undefined) anchors.set(members, free);
  }
  return anchors;
}

/** The slot of a root port that has an alias of ours: libvirt gives every port one, ours was asked for. */
function tellingPort(bus: number, devices: XmlNode | null): number | null {
  const port = (devices?.all('controller') ?? []).find(
    (one) => one.attribute('type') === 'pci' && Number(one.attribute('index') ?? '-1') === bus,
  );
  if (port?.one('alias')?.attribute('name')?.startsWith('ua-card-') !== true) return null;
  return Number(port.one('address')?.attribute('slot') ?? '0');
}

function readMediated(element: XmlNode, reading: Reading): void {
  const { draft, dropList } = reading;
  const uuid = element.one('source')?.one('address')?.attribute('uuid') ?? null;
  const model = element.attribute('model') ?? '';
  if (uuid === null || model !== 'vfio-pci') {
    dropList.add(`${element.path} (model=${model})`, 'mediated devices are those of vfio-pci');
    element.settle();
    return;
  }
  const section = sectionOf(element, 'device', reading, 'mdev');
  draft.put(section, 'mdev', uuid.toLowerCase());
  draft.put(section, 'display', element.attribute('display'));
  readBoot(element, section, reading);
  for (const name of ['mode', 'managed']) element.attribute(name);
  for (const name of ['alias', 'address']) element.one(name)?.settle();
}

const QEMU = '{http://libvirt.org/schemas/domain/qemu/1.0}';

/** <qemu:override> of functions that have an alias of ours. */
function readOverrides({ root, draft, dropList }: Reading): void {
  for (const device of root.one(`${QEMU}override`)?.all(`${QEMU}device`) ?? []) {
    const label = /^ua-device-(.+)$/.exec(device.attribute('alias') ?? '')?.[1] ?? null;
    for (const property of device.one(`${QEMU}frontend`)?.all(`${QEMU}property`) ?? []) {
      const name = property.attribute('name') ?? '';
      const value = property.attribute('value') ?? '';
      property.attribute('type');
      const key = OVERRIDES.find(([, one]) => one === name)?.[0];
      if (label !== null && key !== undefined && /^\d{1,5}$/.test(value))
        draft.put(`device ${label}`, key, Number(value).toString(16).padStart(4, '0'));
      else if (label !== null && name === 'x-vga')
        draft.put(`device ${label}`, 'x-vga', value === 'true' ? 'yes' : 'no');
      else dropList.add(`${property.path} (${name}=${value})`, 'the profile has no key for this property');
    }
  }
}
