import fc from 'fast-check';
import type { Domain } from '../../../lib/inputs/domain.ts';
import type { CpuSet } from '../../../lib/words/cpu-list.ts';

/** A document of the grammar, and what a reader must find in it: neither more nor less. */
export interface GrammarDomain {
  readonly xml: string;
  readonly expected: Omit<Domain, 'metadata'>;
}

interface Piece<T> {
  readonly xml: string;
  readonly says: T;
}

const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
const numeral = (value: number) => fc.constantFrom(`0x${hex(value, 2)}`, `${value}`);
const quote = fc.constantFrom('"', "'");
const gap = fc.constantFrom(
  '',
  '\n  ',
  ' ',
  '<!-- <hostdev type="pci"/> -->',
  '<alias name="ua-x"/>',
  '<?p <vcpu?>',
);
const yesNo = fc.constantFrom(true, false);

/** An element with its attributes in any order and either quote. */
function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  inside: string = '',
): fc.Arbitrary<string> {
  const names = Object.keys(attributes);
  return fc
    .tuple(fc.shuffledSubarray(names, { minLength: names.length }), quote, gap)
    .map(([order, sign, space]) => {
      const written = order.map((key) => ` ${key}=${sign}${attributes[key]}${sign}`).join('');
      return inside === '' && space === ''
        ? `<${name}${written}/>`
        : `<${name}${written}>${space}${inside}</${name}>`;
    });
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
  fc.tuple(address, managed, driver, guestSide).chain(([at, [how, isManaged], [driverXml, model], guest]) => {
    const fn = { address: at.says, managed: isManaged, source, driver: source === 'nvme' ? null : model };
    const says = { ...NOTHING, functions: [fn as Fn] };
    const done = (xml: string): Piece<Given> => ({ xml, says });
    const inner = `<source>${at.xml}</source>${driverXml}${guest}`;
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

const cpus = fc
  .uniqueArray(fc.nat(130), { minLength: 1, maxLength: 6 })
  .map((set) => set.sort((a, b) => a - b));
/** A set as people write it: single numbers, ranges, and an exclusion of what is not in it. */
const setText = (set: CpuSet): fc.Arbitrary<string> =>
  fc.constantFrom(
    set.join(','),
    set.map((cpu) => ` ${cpu}`).join(' ,'),
    `${set.join(',')},^${set.at(-1)! + 1}`,
    set.map((cpu) => `${cpu}-${cpu}`).join(','),
    `${set.at(-1)! + 1}-${set.at(-1)! + 2},^${set.at(-1)! + 1},^${set.at(-1)! + 2},${set.join(',')}`,
  );
const UNITS: Readonly<Record<string, number>> = {
  KiB: 1,
  k: 1,
  MiB: 1024,
  M: 1024,
  g: 1024 ** 2,
  GiB: 1024 ** 2,
};
const memory = fc
  .tuple(fc.integer({ min: 1, max: 4096 }), fc.constantFrom('', ...Object.keys(UNITS)))
  .map(([amount, unit]) => ({ amount, unit, kib: amount * (UNITS[unit] ?? 1) }));
const unitOf = (unit: string) => (unit === '' ? {} : { unit });

/** <vcpu> and <cputune>; pins of vCPUs that there are none of are left out, as libvirt does. */
type Cpu = Pick<Domain, 'vcpus' | 'vcpuSet' | 'vcpuPins' | 'iothreadPins' | 'emulatorPin' | 'vcpuScheds'>;
const cpu: fc.Arbitrary<Piece<Cpu>> = fc
  .record({
    vcpus: fc.integer({ min: 1, max: 16 }),
    vcpuSet: fc.option(cpus),
    pins: fc.dictionary(fc.nat(20).map(String), cpus, { maxKeys: 5 }),
    iothreads: fc.dictionary(fc.integer({ min: 1, max: 4 }).map(String), cpus, { maxKeys: 3 }),
    emulator: fc.option(cpus),
    scheds: fc.array(fc.tuple(cpus, fc.constantFrom('fifo', 'rr', 'batch'), fc.option(fc.nat(99))), {
      maxLength: 2,
    }),
  })
  .chain((one) => {
    const pin = (name: string, key: string, which: string, set: CpuSet) =>
      setText(set).chain((text) => element(name, { [key]: which, cpuset: text }));
    const tune = [
      ...Object.entries(one.pins).map(([which, set]) => pin('vcpupin', 'vcpu', which, set)),
      ...Object.entries(one.iothreads).map(([which, set]) => pin('iothreadpin', 'iothread', which, set)),
      ...(one.emulator === null
        ? []
        : [setText(one.emulator).chain((text) => element('emulatorpin', { cpuset: text }))]),
      ...one.scheds.map(([set, scheduler, priority]) =>
        setText(set).chain((vcpus) =>
          element('vcpusched', { vcpus, scheduler, ...(priority !== null && { priority: `${priority}` }) }),
        ),
      ),
    ];
    const vcpu = (
      one.vcpuSet === null ? fc.constant({}) : setText(one.vcpuSet).map((cpuset) => ({ cpuset }))
    ).chain((set) => element('vcpu', { placement: 'static', ...set }, ` ${one.vcpus}\n`));
    const asMap = (pins: Record<string, CpuSet>) =>
      new Map(Object.entries(pins).map(([key, set]) => [Number(key), set]));
    return fc.tuple(vcpu, fc.tuple(...tune), gap).map(([vcpuXml, tuneXml, space]) => ({
      xml: `${vcpuXml}${space}<cputune>${tuneXml.join(space)}</cputune>`,
      says: {
        vcpus: one.vcpus,
        vcpuSet: one.vcpuSet,
        vcpuPins: new Map([...asMap(one.pins)].filter(([which]) => which < one.vcpus)),
        iothreadPins: asMap(one.iothreads),
        emulatorPin: one.emulator,
        vcpuScheds: one.scheds.map(([vcpus, scheduler, priority]) => ({ vcpus, scheduler, priority })),
      },
    }));
  });

const LIMITS = ['hard_limit', 'soft_limit', 'swap_hard_limit', 'min_guarantee'];
type Memory = Pick<
  Domain,
  'memoryKib' | 'memtune' | 'hugepages' | 'memoryNodes' | 'memoryMode' | 'cellNodes' | 'cells'
>;
const memoryPart: fc.Arbitrary<Piece<Memory>> = fc
  .record({
    memory: fc.option(memory),
    limits: fc.tuple(...Array.from({ length: 4 }, () => fc.option(memory))),
    hugepages: fc.option(fc.array(fc.tuple(memory, fc.option(cpus)), { maxLength: 2 })),
    nodes: fc.option(fc.tuple(cpus, fc.constantFrom('strict', 'preferred', 'interleave', 'restrictive'))),
    memnodes: fc.dictionary(fc.nat(3).map(String), cpus, { maxKeys: 2 }),
    cells: fc.array(fc.tuple(cpus, memory), { maxLength: 3 }),
  })
  .chain((one) => {
    const attributesOf = (key: string, set: CpuSet | null) =>
      set === null ? fc.constant({}) : setText(set).map((text) => ({ [key]: text }));
    const parts: fc.Arbitrary<string>[] = [
      one.memory === null
        ? fc.constant('')
        : element('memory', unitOf(one.memory.unit), `${one.memory.amount}`),
      fc
        .tuple(
          ...LIMITS.map((name, at) => {
            const limit = one.limits[at] ?? null;
            return limit === null ? fc.constant('') : element(name, unitOf(limit.unit), `${limit.amount}`);
          }),
        )
        .map((all) => `<memtune>${all.join('')}</memtune>`),
      fc.constant('<currentMemory unit="KiB">7</currentMemory>'),
    ];
    if (one.hugepages !== null) {
      const pages = one.hugepages.map(([size, set]) =>
        attributesOf('nodeset', set).chain((nodeset) =>
          element('page', { size: `${size.amount}`, ...unitOf(size.unit), ...nodeset }),
        ),
      );
      parts.push(
        fc
          .tuple(...pages)
          .map((all) => `<memoryBacking><hugepages>${all.join('')}</hugepages><locked/></memoryBacking>`),
      );
    }
    const memnodes = Object.entries(one.memnodes).map(([cell, set]) =>
      setText(set).chain((nodeset) => element('memnode', { cellid: cell, mode: 'strict', nodeset })),
    );
    const whole =
      one.nodes === null
        ? []
        : [setText(one.nodes[0]).chain((nodeset) => element('memory', { mode: one.nodes![1], nodeset }))];
    parts.push(fc.tuple(...whole, ...memnodes).map((all) => `<numatune>${all.join('')}</numatune>`));
    const cells = one.cells.map(([set, size], index) =>
      setText(set).chain((text) =>
        element('cell', { id: `${index}`, cpus: text, memory: `${size.amount}`, ...unitOf(size.unit) }),
      ),
    );
    parts.push(
      fc.tuple(...cells).map((all) => `<cpu mode="host-passthrough"><numa>${all.join('\n')}</numa></cpu>`),
    );
    const cellSum = one.cells.reduce((sum, [, { kib }]) => sum + kib, 0);
    return fc.tuple(...parts).map((all) => ({
      xml: all.join(''),
      says: {
        memoryKib: one.memory?.kib ?? (one.cells.length === 0 ? null : cellSum),
        memtune: {
          hardLimitKib: one.limits[0]?.kib ?? null,
          softLimitKib: one.limits[1]?.kib ?? null,
          swapHardLimitKib: one.limits[2]?.kib ?? null,
          minGuaranteeKib: one.limits[3]?.kib ?? null,
        },
        hugepages: one.hugepages?.map(([size, nodeset]) => ({ sizeKib: size.kib, nodeset })) ?? null,
        memoryNodes: one.nodes?.[0] ?? null,
        memoryMode: one.nodes?.[1] ?? null,
        cellNodes: new Map(Object.entries(one.memnodes).map(([cell, set]) => [Number(cell), set])),
        cells: one.cells.map(([set, { kib }], index) => ({ id: index, cpus: set, memoryKib: kib })),
      },
    }));
  });

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
    cpu: fc.option(cpu),
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
