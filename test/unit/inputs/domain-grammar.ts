import fc from 'fast-check';
import type { Domain } from '../../../lib/inputs/domain.ts';
import { type Cpu, cpuPart, memoryPart } from './grammar-cpus-and-memory.ts';
import { element, gap, hex, numeral, type Piece, yesNo } from './grammar-xml.ts';

/** A document of the grammar, and what a reader must find in it: neither more nor less. */
export interface GrammarDomain {
  readonly xml: string;
  readonly expected: Omit<Domain, 'metadata'>;
}

const managed = fc.constantFrom<[Record<string, string>, boolean]>(
  [{}, false],
  [{ managed: 'no' }, false],
  [{ managed: 'yes' }, true],
);
const driver = fc.constantFrom<[string, string | null]>(
  ['', null],
  ['<driver name="vfio"/>', null],
  ['<driver name="vfio" model="mlx5_vfio_pci"/>', 'mlx5_vfio_pci'],
);
const rom = fc.constantFrom<[string, string | null]>(
  ['', null],
  ['<rom bar="off"/>', null],
  ['<rom bar="on" file="/var/lib/a b.rom"/>', '/var/lib/a b.rom'],
);

const address = fc
  .tuple(fc.nat(0x1ffff), fc.nat(0xff), fc.nat(0x1f), fc.nat(7))
  .chain(([domain, bus, slot, fn]) =>
    fc
      .tuple(numeral(domain), numeral(bus), numeral(slot), numeral(fn), fc.constantFrom({}, { type: 'pci' }))
      .chain(([d, b, s, f, type]) => element('address', { ...type, domain: d, bus: b, slot: s, function: f }))
      .map((xml) => ({ xml, says: `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}` })),
  );
const guestSide = address.map(({ xml }) => xml.replace('<address', '<address multifunction="on"'));

type Given = Pick<Domain, 'functions' | 'usb' | 'mediatedDevices'>;
const NOTHING: Given = { functions: [], usb: [], mediatedDevices: [] };
type Fn = Domain['functions'][number];

const functionPiece = (source: Fn['source']): fc.Arbitrary<Piece<Given>> =>
  fc
    .tuple(address, managed, driver, rom, guestSide)
    .chain(([at, [how, isManaged], [driverXml, model], [romXml, file], guest]) => {
      const own = source === 'nvme' ? { driver: null, romFile: null } : { driver: model, romFile: file };
      const fn = { address: at.says, managed: isManaged, source, ...own };
      const says = { ...NOTHING, functions: [fn as Fn] };
      const done = (xml: string): Piece<Given> => ({ xml, says });
      const inner = `<source>${at.xml}</source>${driverXml}${romXml}${guest}`;
      if (source === 'hostdev')
        return element('hostdev', { type: 'pci', mode: 'subsystem', ...how }, inner).map(done);
      if (source === 'interface') return element('interface', { type: 'hostdev', ...how }, inner).map(done);
      return element('source', { type: 'pci', namespace: '1', ...how }, at.xml)
        .chain((xml) =>
          element('disk', { type: 'nvme', device: 'disk' }, `${xml}<target dev="vdz" bus="virtio"/>${guest}`),
        )
        .map(done);
    });

const id = fc.nat(0xffff);
const usbPiece: fc.Arbitrary<Piece<Given>> = fc
  .tuple(fc.option(fc.tuple(id, id)), fc.tuple(fc.nat(300), fc.nat(300)), yesNo)
  .chain(([ids, [bus, device], both]) => {
    const at = ids === null || both ? `<address bus="${bus}" device="${device}"/>` : '';
    const named = ids === null ? '' : `<vendor id="0x${hex(ids[0], 4)}"/><product id="0x${hex(ids[1], 4)}"/>`;
    const one = {
      vendorId: ids === null ? null : hex(ids[0], 4),
      productId: ids === null ? null : hex(ids[1], 4),
      bus: at === '' ? null : bus,
      device: at === '' ? null : device,
    };
    return element('hostdev', { type: 'usb', mode: 'subsystem' }, `<source>${named}${at}</source>`).map(
      (xml) => ({
        xml,
        says: { ...NOTHING, usb: [one] },
      }),
    );
  });
const mdevPiece: fc.Arbitrary<Piece<Given>> = fc
  .tuple(fc.uuid(), yesNo)
  .chain(([uuid, upper]) =>
    element(
      'hostdev',
      { type: 'mdev', mode: 'subsystem', model: 'vfio-pci' },
      `<source><address uuid="${upper ? uuid.toUpperCase() : uuid}"/></source>`,
    ).map((xml) => ({ xml, says: { ...NOTHING, mediatedDevices: [uuid] } })),
  );

const given = fc.oneof(
  functionPiece('hostdev'),
  functionPiece('interface'),
  functionPiece('nvme'),
  usbPiece,
  mdevPiece,
);
/** Devices that are none of the host's, or stand where none are read. */
const other: fc.Arbitrary<Piece<Given>> = fc
  .tuple(given, guestSide)
  .chain(([{ xml }, guest]) =>
    fc
      .constantFrom(
        `<!-- ${xml.replaceAll('--', '')} -->`,
        `<![CDATA[${xml.replaceAll(']]>', '')}]]>`,
        `<controller type="pci">${xml}${guest}</controller>`,
        `<x:hostdev xmlns:x="urn:x" type="pci">${xml}</x:hostdev>`,
        `<disk type="file"><source file="/a">${guest}</source><mirror>${xml}</mirror></disk>`,
        `<disk type="block"><source dev="/dev/sda"/><backingStore type="file"><source file="/b">${xml}</source></backingStore></disk>`,
        `<interface type="network"><source network="default">${guest}</source></interface>`,
        `<interface type="direct"><source dev="eth0"/>${xml}</interface>`,
        `<hostdev mode="subsystem" type="scsi"><source>${guest}</source></hostdev>`,
        `<hostdev mode="capabilities" type="misc"><source>${guest}</source></hostdev>`,
        `<redirdev bus="usb" type="spicevmc">${xml}</redirdev>`,
        `<sound model="ich9">${guest}</sound>`,
      )
      .map((text) => ({ xml: text, says: NOTHING })),
  );

const name = fc
  .string({ unit: fc.constantFrom(...'abZ09 -_.,:+üß漢'), minLength: 1, maxLength: 30 })
  .filter((text) => text !== '.' && text !== '..');

/** What may stand at the top of a domain and gives nothing, even where it holds what looks like a device. */
const elsewhere = given.chain(({ xml }) =>
  fc.constantFrom(
    xml,
    `<metadata><a:b xmlns:a="urn:a">${xml}<devices>${xml}</devices></a:b><devices>${xml}</devices></metadata>`,
    `<q:commandline xmlns:q="http://libvirt.org/schemas/domain/qemu/1.0"><q:arg value="-device"/>${xml}</q:commandline>`,
    `<os><type machine="q35">hvm</type><domain><devices>${xml}</devices></domain></os>`,
    `<features><acpi/>${xml}</features><vcpus><vcpu id="0"/></vcpus>`,
  ),
);

/** Domains from a grammar of all that the reader knows, among what it does not know. */
export const grammarDomain: fc.Arbitrary<GrammarDomain> = fc
  .record({
    name,
    uuid: fc.option(fc.uuid()),
    cpu: fc.option(cpuPart),
    memory: memoryPart,
    devices: fc.option(fc.array(fc.oneof(given, given, other), { maxLength: 7 })),
    elsewhere: fc.uniqueArray(elsewhere, { maxLength: 2, selector: (xml) => xml.slice(0, 4) }),
    space: gap,
    seed: fc.nat(1000),
  })
  .map((one) => {
    const parts = [
      `<name>${one.name}</name>`,
      one.uuid === null ? '' : `<uuid>\n${one.uuid} </uuid>`,
      one.cpu?.xml ?? '',
      one.memory.xml,
      one.devices === null ? '' : `<devices>${one.devices.map(({ xml }) => xml).join(one.space)}</devices>`,
      ...one.elsewhere,
    ];
    const rotated = parts.map((_, index) => parts[(index + one.seed) % parts.length]!);
    const says = (one.devices ?? []).map((piece) => piece.says);
    const noCpus: Cpu = {
      vcpus: null,
      vcpuSet: null,
      vcpuPins: new Map(),
      iothreadPins: new Map(),
      emulatorPin: null,
      vcpuScheds: [],
    };
    return {
      xml: `<?xml version="1.0"?><domain type="kvm">${rotated.join(one.space)}</domain>`,
      expected: {
        name: one.name,
        uuid: one.uuid,
        ...(one.cpu?.says ?? noCpus),
        ...one.memory.says,
        functions: says.flatMap(({ functions }) => functions),
        usb: says.flatMap(({ usb }) => usb),
        mediatedDevices: says.flatMap(({ mediatedDevices }) => mediatedDevices),
      },
    };
  });
