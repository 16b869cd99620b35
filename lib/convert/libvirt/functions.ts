import { type PciAddress, pciFunction, pciSlot } from '../../words/pci-address.ts';
import { type Card, cardsOf, possibleNumbers } from '../guest-cards.ts';
import { aliasElement, bootElement, hex, onOff, type Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** The passed functions of a domain, the root ports they need, and what only <qemu:override> can say of them. */
export interface WrittenFunctions {
  readonly controllers: readonly XmlElement[];
  readonly devices: readonly XmlElement[];
  readonly override: XmlElement | null;
}

export function writeFunctions(writing: Writing): WrittenFunctions {
  const { source, dropList, functions } = writing;
  for (const label of source.keys('devices')) {
    if (functions.has(label)) continue;
    dropList.add(
      `[devices] ${label}`,
      'it fits no single function of this host now, and libvirt must have an address',
    );
    const section = `device ${label}`;
    for (const key of source.keys(section)) source.said(section, key);
  }
  tellOddPlaces(writing);
  const isQ35 = source.text('machine', 'type') === 'q35';
  const cards = cardsOf(writing).filter(isTold);
  const ports =
    !isQ35 || cards.length === 0
      ? []
      : [
          xml('controller', { type: 'pci', index: 0, model: 'pcie-root' }),
          ...cards.map(({ slot }, at) =>
            xml('controller', { type: 'pci', index: at + 1, model: 'pcie-root-port' }, [
              slot === null ? null : xml('alias', { name: `ua-card-${at + 1}` }),
              slot === null
                ? null
                : xml('address', {
                    type: 'pci',
                    domain: '0x0000',
                    bus: '0x00',
                    slot: hex(slot),
                    function: '0x0',
                  }),
            ]),
          ),
        ];
  const places = new Map<string, XmlElement>();
  const taken = new Set(cards.map((card) => card.slot));
  const free = Array.from({ length: 16 }, (_, at) => 16 + at).filter((slot) => !taken.has(slot));
  cards.forEach((card, at) => {
    const [bus, slot] = isQ35 ? [at + 1, 0] : [0, card.slot ?? free.shift() ?? 16];
    for (const [label, number] of possibleNumbers(card))
      places.set(label, guestPlace(bus, slot, number, card.members.length > 1 && number === 0));
  });
  const own = [...functions].map(([label, address]) =>
    hostdev(label, address, places.get(label) ?? null, writing),
  );
  const mediated = source.sections('device').flatMap((section) => mediatedElement(section, writing));
  const overrides = source.sections('device').flatMap((section) => overrideOf(section, writing));
  return {
    controllers: ports,
    devices: [...own, ...mediated],
    override: overrides.length === 0 ? null : xml('qemu:override', {}, overrides),
  };
}

/** What is said of places and comes back otherwise: one card has one slot. */
function tellOddPlaces({ source, dropList, functions }: Writing): void {
  for (const { members } of cardsOf({ source, functions })) {
    const saying = members.filter(({ label }) => source.peek(`device ${label}`, 'slot') !== null);
    for (const { label } of saying.filter(({ label }) => label !== members[0]!.label))
      dropList.add(`[device ${label}] slot`, 'it is said of the card, by its first function');
    const numbers = possibleNumbers({ members });
    for (const { label, number } of members) {
      if (number !== null && number !== numbers.get(label))
        dropList.add(`[device ${label}] function`, 'a card has each number once, and a function 0');
    }
    const first = members.find(({ label }) => numbers.get(label) === 0);
    for (const { label, address } of members) {
      const isThere = first !== undefined && pciSlot(address) === pciSlot(first.address);
      if (isThere && source.peek(`device ${label}`, 'with') !== null)
        dropList.add(
          `[device ${label}] with`,
          `its card has function 0, so the others are with ${first.label}`,
        );
    }
  }
}

/** Whether the place of a card is not left to libvirt. */
function isTold({ slot, members }: Card): boolean {
  return slot !== null || members.length > 1 || members.some(({ number }) => number !== null);
}

function guestPlace(bus: number, slot: number, number: number, isMulti: boolean): XmlElement {
  const at = { domain: '0x0000', bus: hex(bus), slot: hex(slot), function: `0x${number}` };
  return xml('address', { type: 'pci', ...at, multifunction: isMulti ? 'on' : null });
}

function hostdev(label: string, address: PciAddress, place: XmlElement | null, writing: Writing): XmlElement {
  const { source, dropList } = writing;
  const section = `device ${label}`;
  for (const key of ['slot', 'function', 'with']) source.said(section, key);
  if (source.said(section, 'display') !== null)
    dropList.add(`[${section}] display`, 'it is for mediated devices');
  const [domain = '', bus = '', slot = ''] = pciSlot(address).split(':');
  const bar = source.said(section, 'rom-bar');
  const file = source.said(section, 'romfile');
  return xml('hostdev', { mode: 'subsystem', type: 'pci', managed: 'yes' }, [
    xml('source', {}, [
      xml('address', {
        domain: `0x${domain}`,
        bus: `0x${bus}`,
        slot: `0x${slot}`,
        function: `0x${pciFunction(address)}`,
      }),
    ]),
    bar === null && file === null
      ? null
      : xml('rom', { bar: bar === null ? null : onOff(bar === 'yes'), file }),
    bootElement(section, writing),
    aliasElement(section, writing),
    place,
  ]);
}

function mediatedElement(section: string, writing: Writing): XmlElement[] {
  const { source, dropList } = writing;
  if (source.said(section, 'sysfs-device') !== null)
    dropList.add(
      `[${section}] sysfs-device`,
      'libvirt takes functions by address and mediated devices by UUID',
    );
  const uuid = source.said(section, 'mdev');
  if (uuid === null) return [];
  const display = source.said(section, 'display');
  if (display === 'auto') dropList.add(`[${section}] display = auto`, 'libvirt has on and off');
  return [
    xml(
      'hostdev',
      {
        mode: 'subsystem',
        type: 'mdev',
        model: 'vfio-pci',
        display: display === 'on' || display === 'off' ? display : null,
      },
      [
        xml('source', {}, [xml('address', { uuid })]),
        bootElement(section, writing),
        aliasElement(section, writing),
      ],
    ),
  ];
}

/** Properties of vfio-pci that libvirt has no word for, by their keys. */
export const OVERRIDES: readonly (readonly [string, string])[] = [
  ['vendor-id', 'x-pci-vendor-id'],
  ['device-id', 'x-pci-device-id'],
  ['sub-vendor-id', 'x-pci-sub-vendor-id'],
  ['sub-device-id', 'x-pci-sub-device-id'],
];

function overrideOf(section: string, writing: Writing): XmlElement[] {
  const { source } = writing;
  const alias = aliasElement(section, writing)?.attributes.name ?? null;
  if (alias === null) return [];
  const properties = OVERRIDES.flatMap(([key, name]) => {
    const id = source.said(section, key);
    return id === null
      ? []
      : [xml('qemu:property', { name, type: 'unsigned', value: Number.parseInt(id, 16) })];
  });
  if (source.yes(section, 'x-vga'))
    properties.push(xml('qemu:property', { name: 'x-vga', type: 'bool', value: 'true' }));
  return properties.length === 0
    ? []
    : [xml('qemu:device', { alias }, [xml('qemu:frontend', {}, properties)])];
}
