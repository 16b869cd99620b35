import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain } from '../../../lib/inputs/domain-xml.ts';
import { tryParseDomain } from '../../../lib/inputs/try-domain.ts';
import { DomainError } from '../../../lib/words/errors.ts';
import { readSample } from './samples.ts';

const EMPTY = {
  uuid: null,
  memoryKib: null,
  memtune: { hardLimitKib: null, softLimitKib: null, swapHardLimitKib: null, minGuaranteeKib: null },
  vcpuScheds: [],
  functions: [],
  usb: [],
  mediatedDevices: [],
  vcpus: null,
  vcpuPins: new Map(),
  iothreadPins: new Map(),
  emulatorPin: null,
  vcpuSet: null,
  hugepages: null,
  memoryNodes: null,
  memoryMode: null,
  cellNodes: new Map(),
  cells: [],
  metadata: new Map(),
};

/** A domain with `inside` in it, as parseDomain reads it, without what is empty. */
function read(inside: string): Record<string, unknown> {
  const domain = parseDomain(`<domain><name>g</name>${inside}</domain>`);
  const known: Record<string, unknown> = { ...EMPTY, name: 'g' };
  return Object.fromEntries(
    Object.entries(domain).filter(([key, value]) => {
      try {
        assert.deepEqual(value, known[key]);
        return false;
      } catch {
        return true;
      }
    }),
  );
}

test('parseDomain() reads the running guest of a desktop', () => {
  assert.deepEqual(parseDomain(readSample('gaming')), {
    ...EMPTY,
    name: 'Windows 11 – Spiele',
    uuid: '6f1d1c5e-0b1a-4e0c-9c57-6a2c1e5b7d10',
    memoryKib: 16_777_216,
    functions: [
      {
        address: '0000:01:00.0',
        managed: true,
        source: 'hostdev',
        driver: null,
        romFile: '/usr/share/vgabios/card.rom',
      },
      { address: '0000:01:00.1', managed: true, source: 'hostdev', driver: null, romFile: null },
    ],
    usb: [{ vendorId: '046d', productId: 'c52b', bus: 3, device: 7 }],
    vcpus: 12,
    vcpuPins: new Map([
      [0, [2]],
      [1, [10]],
      [2, [3]],
      [3, [11]],
    ]),
    iothreadPins: new Map([[1, [0, 8]]]),
    emulatorPin: [0, 1, 8],
    hugepages: [],
    metadata: new Map([
      ['cpu.governor', 'performance'],
      ['devices.stick', 'usb index 1'],
    ]),
  });
});

test('parseDomain() reads the hand-written guest of a server', () => {
  const without15 = [8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23];
  const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
  assert.deepEqual(parseDomain(readSample('numa')), {
    ...EMPTY,
    name: 'db-07',
    uuid: '0c6c4f2e-9a1b-4a6f-8d7e-2b1c3d4e5f60',
    memoryKib: 67_108_864,
    functions: [
      { address: '10000:e1:00.0', managed: true, source: 'nvme', driver: null, romFile: null },
      { address: '0000:e1:0f.0', managed: false, source: 'nvme', driver: null, romFile: null },
      { address: '0000:3b:02.3', managed: true, source: 'interface', driver: 'mlx5_vfio_pci', romFile: null },
      { address: '0000:82:1f.0', managed: false, source: 'hostdev', driver: null, romFile: null },
    ],
    mediatedDevices: ['c2177883-f1bb-47f0-914d-32a22e3a8804'],
    vcpus: 32,
    vcpuPins: new Map([
      [0, [8]],
      [31, [55]],
    ]),
    vcpuScheds: [{ vcpus: [0, 1, 2, 3], scheduler: 'fifo', priority: 1 }],
    vcpuSet: [...without15, ...count(40, 55)],
    hugepages: [
      { sizeKib: 1_048_576, nodeset: [0] },
      { sizeKib: 2048, nodeset: [1, 3] },
    ],
    memoryNodes: [0, 1, 3],
    memoryMode: 'strict',
    cellNodes: new Map([
      [0, [0]],
      [1, [1]],
    ]),
    cells: [
      { id: 0, cpus: count(0, 15), memoryKib: 33_554_432 },
      { id: 1, cpus: count(16, 31), memoryKib: 33_554_432 },
    ],
  });
});

test('parseDomain() reads the smallest guest', () => {
  assert.deepEqual(parseDomain(readSample('small')), { ...EMPTY, name: '007', memoryKib: 1, vcpus: 1 });
});

const PARTS: readonly [string, string, Record<string, unknown>][] = [
  [
    'takes automatic placement for no placement',
    '<vcpu placement="auto" cpuset="1-3">4</vcpu>',
    { vcpus: 4 },
  ],
  [
    'takes automatic memory placement for no nodes',
    '<numatune><memory mode="strict" placement="auto" nodeset="1"/></numatune>',
    { memoryMode: 'strict' },
  ],
  [
    'takes the cells for the memory where there is no other',
    cells('<cell memory="1" unit="GiB"/>'),
    {
      memoryKib: 1_048_576,
      cells: [{ id: 0, cpus: [], memoryKib: 1_048_576 }],
    },
  ],
  [
    'does not count maxMemory and currentMemory',
    '<maxMemory>9</maxMemory><currentMemory>8</currentMemory>',
    {},
  ],
  ['reads text in CDATA', '<vcpu><![CDATA[2]]></vcpu>', { vcpus: 2 }],
  [
    'reads XML entities',
    '<uuid>0c6c4f2e&#45;9a1b-4a6f-8d7e-2b1c3d4e5f60</uuid>',
    {
      uuid: '0c6c4f2e-9a1b-4a6f-8d7e-2b1c3d4e5f60',
    },
  ],
  [
    'keeps pins where the number of vCPUs is not said',
    '<cputune><vcpupin vcpu="9" cpuset="1"/></cputune>',
    {
      vcpuPins: new Map([[9, [1]]]),
    },
  ],
  [
    'reads a USB device by its ids alone',
    devices('<hostdev type="usb"><source><vendor id="1133"/><product id="0x1"/></source></hostdev>'),
    { usb: [{ vendorId: '046d', productId: '0001', bus: null, device: null }] },
  ],
  [
    'leaves out an interface that gives a USB device',
    devices(
      '<interface type="hostdev"><source><address type="usb" bus="1" device="2"/></source></interface>',
    ),
    {},
  ],
  ['leaves out elements of another namespace', `<x:devices xmlns:x="urn:x">${hostdev('')}</x:devices>`, {}],
  ['leaves out elements of another default namespace', `<devices xmlns="urn:x">${hostdev('')}</devices>`, {}],
  [
    'leaves out attributes of a namespace',
    `<devices xmlns:x="urn:x">${hostdev('x:managed="yes"')}</devices>`,
    {
      functions: [
        { address: '0000:01:00.0', managed: false, source: 'hostdev', driver: null, romFile: null },
      ],
    },
  ],
  ['leaves out devices in a wrong place', `${hostdev('')}<cpu><devices>${hostdev('')}</devices></cpu>`, {}],
  [
    'leaves out keys of another namespace',
    '<metadata><p:profile xmlns:p="urn:passqemu:2"><p:key section="cpu" name="governor">x</p:key></p:profile></metadata>',
    {},
  ],
];
for (const [behaviour, inside, expected] of PARTS) {
  test(`parseDomain() ${behaviour}`, () => assert.deepEqual(read(inside), expected));
}

const PROBLEMS: readonly [string, string][] = [
  ['<vcpu>many</vcpu>', '/domain/vcpu is "many", must be a whole number'],
  ['<vcpu>0</vcpu>', '/domain/vcpu is "0", must be at least 1'],
  ['<vcpu cpuset="9-1">2</vcpu>', '/domain/vcpu/@cpuset is "9-1", must be a set such as 1-4,^3,6'],
  ['<memory unit="bananas">4</memory>', '/domain/memory is "4 bananas", must be an amount of memory'],
  ['<memory>-4</memory>', '/domain/memory is "-4", must be an amount of memory'],
  ['<uuid>no</uuid>', '/domain/uuid is "no", must be a UUID'],
  ['<memory>1</memory><memory>2</memory>', '/domain/memory[2] is there a second time, must be there once'],
  ['<devices/><devices/>', '/domain/devices[2] is there a second time, must be there once'],
  [
    '<cputune><vcpupin vcpu="0" cpuset="1"/><vcpupin vcpu="0" cpuset="2"/></cputune>',
    '/domain/cputune/vcpupin[2]/@vcpu is there a second time, must be there once',
  ],
  [
    '<cputune><vcpupin vcpu="0"/></cputune>',
    '/domain/cputune/vcpupin/@cpuset is "", must be a set such as 1-4,^3,6',
  ],
  [
    '<cputune><emulatorpin cpuset="1"/><emulatorpin cpuset="2"/></cputune>',
    '/domain/cputune/emulatorpin[2] is there a second time, must be there once',
  ],
  [
    '<numatune><memnode cellid="0" nodeset="x"/></numatune>',
    '/domain/numatune/memnode/@nodeset is "x", must be a set such as 1-4,^3,6',
  ],
  [
    '<memoryBacking><hugepages><page/></hugepages></memoryBacking>',
    '/domain/memoryBacking/hugepages/page/@size is "", must be an amount of memory',
  ],
  [
    '<memoryBacking><hugepages><page size="0"/></hugepages></memoryBacking>',
    '/domain/memoryBacking/hugepages/page/@size is "0", must be more than nothing',
  ],
  [cells('<cell memory="1"/><cell/>'), '/domain/cpu/numa/cell[2]/@memory is "", must be an amount of memory'],
  [devices(hostdev('managed="maybe"')), '/domain/devices/hostdev/@managed is "maybe", must be yes or no'],
  [devices('<hostdev type="pci"/>'), '/domain/devices/hostdev has no <source>, must have one'],
  [
    devices('<hostdev type="pci"><source/></hostdev>'),
    '/domain/devices/hostdev/source has no <address>, must have one',
  ],
  [
    devices(`<hostdev type="usb"><source/></hostdev>${pci('bus="0x100"')}`),
    '/domain/devices/hostdev[2]/source/address is "0x0 0x100 0x0 0x0", must be within bus 0xff, slot 0x1f, function 7',
  ],
  [
    devices(pci('bus="0x0g"')),
    '/domain/devices/hostdev/source/address/@bus is "0x0g", must be a number such as 0x1f',
  ],
  [devices(pci('')), '/domain/devices/hostdev/source/address has no bus and slot, must have one'],
  [
    devices('<hostdev type="mdev"><source><address uuid="1"/></source></hostdev>'),
    '/domain/devices/hostdev/source/address/@uuid is "1", must be a UUID',
  ],
  [devices('<disk type="nvme"/>'), '/domain/devices/disk has no <source>, must have one'],
  [
    devices(`<hostdev type="pci"><driver model="../x"/><source><address bus="1"/></source></hostdev>`),
    '/domain/devices/hostdev/driver/@model is "../x", must be a driver\'s name',
  ],
  [
    metadata('<p:key name="governor">x</p:key>'),
    '/domain/metadata/profile/key has no section or no name, must have one',
  ],
  [
    metadata('<p:key section="cpu" name="irqs">no</p:key><p:key section="cpu" name="irqs">yes</p:key>'),
    '/domain/metadata/profile/key[2]/@name is there a second time, must be there once',
  ],
];
for (const [inside, problem] of PROBLEMS) {
  test(`parseDomain() refuses ${inside}`, () => {
    const xml = `<domain><name>g</name>${inside}</domain>`;
    const message = `Cannot read the domain XML: ${problem}`;
    assert.throws(() => parseDomain(xml), { name: 'DomainError', message, exitCode: 2 });
  });
}

test('parseDomain() refuses a domain without a name, or with one that is no file name', () => {
  assert.throws(() => parseDomain('<domain/>'), {
    message: 'Cannot read the domain XML: it has no <name>, must have one',
  });
  assert.throws(() => parseDomain('<domain><name>../a</name></domain>'), {
    message: 'Cannot read the domain XML: its name "../a" has a / in it',
  });
});

test('tryParseDomain() gives null for what is none', () => {
  assert.equal(tryParseDomain(''), null);
  assert.equal(tryParseDomain(readSample('small'))?.name, '007');
});

test('parseDomain() reads a large guest in some milliseconds', () => {
  const xml = `<domain><name>g</name>${devices(hostdev('').repeat(2000))}</domain>`;
  const start = performance.now();
  assert.equal(parseDomain(xml).functions.length, 2000);
  assert.ok(performance.now() - start < 2000);
});

test('DomainError is what hostile text ends in', () => {
  assert.throws(() => parseDomain('<domain'), DomainError);
});

function devices(inside: string): string {
  return `<devices>${inside}</devices>`;
}
function hostdev(attributes: string): string {
  return `<hostdev type="pci" ${attributes}><source><address bus="1" slot="0"/></source></hostdev>`;
}
function pci(address: string): string {
  return `<hostdev type="pci"><source><address ${address}/></source></hostdev>`;
}
function cells(inside: string): string {
  return `<cpu><numa>${inside}</numa></cpu>`;
}
function metadata(inside: string): string {
  return `<metadata><p:profile xmlns:p="urn:passqemu:1">${inside}</p:profile></metadata>`;
}
