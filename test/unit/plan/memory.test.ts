import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryNode, MemoryPicture } from '../../../lib/host/memory.ts';
import type { Domain } from '../../../lib/inputs/domain.ts';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { planMemory } from '../../../lib/plan/memory.ts';
import { wantsHugepages } from '../../../lib/plan/memory-demand.ts';
import { parseCpuList } from '../../../lib/words/cpu-list.ts';
import type { HeldStep, StepOf } from '../../../lib/words/step.ts';

const MIB2 = 2048;
const GIB = 1_048_576;

interface NodeAbout extends Partial<Pick<MemoryNode, 'totalKib' | 'freeKib' | 'reclaimableKib'>> {
  cpus?: string;
  pools?: Record<number, { pages: number; surplus?: number; free?: number }>;
}

/** Nodes of 8 GiB with 6 GiB free, four CPUs each, and empty pools of both sizes, unless told otherwise. */
function picture(
  nodes: Record<number, NodeAbout> = { 0: {}, 1: {} },
  about: Partial<MemoryPicture> = {},
): MemoryPicture {
  return {
    nodes: Object.entries(nodes).map(([id, node]) => ({
      id: Number(id),
      cpus: parseCpuList(node.cpus ?? `${Number(id) * 4}-${Number(id) * 4 + 3}`)!,
      totalKib: node.totalKib ?? 8 * GIB,
      freeKib: node.freeKib ?? 6 * GIB,
      reclaimableKib: node.reclaimableKib ?? 0,
      pools: new Map(
        Object.entries({ [MIB2]: { pages: 0 }, [GIB]: { pages: 0 }, ...node.pools }).map(([size, pool]) => {
          const {
            pages,
            surplus = 0,
            free = pages,
          } = pool as { pages: number; surplus?: number; free?: number };
          return [Number(size), { folder: '', pages, surplus, free, used: pages + surplus - free }];
        }),
      ),
    })),
    totals: new Map([
      [MIB2, { free: 0, reserved: 0 }],
      [GIB, { free: 0, reserved: 0 }],
    ]),
    defaultSizeKib: MIB2,
    zfs: false,
    ...about,
  };
}

function memory(about: Partial<Profile['memory']> = {}): Profile['memory'] {
  return {
    hugepageKib: null,
    sizeKib: null,
    nodes: null,
    waitMs: 20_000,
    compact: true,
    dropCaches: false,
    ...about,
  };
}

function domain(about: Partial<Domain> = {}): Domain {
  return {
    name: 'a',
    uuid: null,
    memoryKib: 4 * GIB,
    memtune: { hardLimitKib: null, softLimitKib: null, swapHardLimitKib: null, minGuaranteeKib: null },
    vcpuScheds: [],
    functions: [],
    usb: [],
    mediatedDevices: [],
    vcpus: 4,
    vcpuPins: new Map(),
    iothreadPins: new Map(),
    emulatorPin: null,
    vcpuSet: null,
    hugepages: [],
    memoryNodes: null,
    memoryMode: null,
    cellNodes: new Map(),
    cells: [],
    metadata: new Map(),
    ...about,
  };
}

function plan(
  about: {
    memory?: Partial<Profile['memory']>;
    guestCpus?: string;
    domain?: Domain | null;
    picture?: MemoryPicture;
    others?: readonly HeldStep[];
    mappedKib?: ReadonlyMap<string, number>;
  } = {},
) {
  const guest = about.guestCpus === undefined ? null : parseCpuList(about.guestCpus);
  const cpu = { guest, isolate: true, irqs: true, workqueues: true, governor: null, energy: null };
  return planMemory({
    profile: { guest: 'a', memory: memory(about.memory), cpu },
    domain: about.domain === undefined ? domain() : about.domain,
    picture: about.picture ?? picture(),
    others: about.others ?? [],
    mappedKib: about.mappedKib ?? new Map(),
  });
}

/** The steps as "node:size in MiB×pages". */
function brief(part: ReturnType<typeof plan>): string[] {
  assert.deepEqual(part.refusals, []);
  return (part.steps as StepOf<'hugepages'>[]).map(
    ({ node, sizeKib, pages }) => `${node}:${sizeKib / 1024}×${pages}`,
  );
}

const pins = (text: Record<number, string>) =>
  new Map(Object.entries(text).map(([vcpu, list]) => [Number(vcpu), parseCpuList(list)!]));
const nodes = (text: string) => parseCpuList(text);
const pages = (sizeKib: number | null, nodeset: string | null) => ({
  sizeKib,
  nodeset: nodeset === null ? null : nodes(nodeset),
});
const cells = [
  { id: 0, cpus: [0, 1], memoryKib: 2 * GIB },
  { id: 1, cpus: [2, 3], memoryKib: 2 * GIB },
];

const places: [name: string, about: Parameters<typeof plan>[0], steps: string[]][] = [
  ['nothing where nobody asks for huge pages', { domain: domain({ hugepages: null }) }, []],
  ['nothing where the profile says off', { memory: { hugepageKib: 0 } }, []],
  [
    'all on the node with most memory free where nothing is said',
    { picture: picture({ 0: { freeKib: 5 * GIB }, 1: {} }) },
    ['1:2×2048'],
  ],
  [
    'on all nodes where none alone has enough',
    { domain: domain({ memoryKib: 8 * GIB }) },
    ['0:2×2048', '1:2×2048'],
  ],
  ['on the node of the profile’s CPUs', { guestCpus: '4-5' }, ['1:2×2048']],
  [
    'on the node of the pinned CPUs',
    {
      domain: domain({ vcpuPins: pins({ 0: '1', 1: '2' }) }),
      picture: picture({ 0: { freeKib: 5 * GIB }, 1: {} }),
    },
    ['0:2×2048'],
  ],
  ['on the node of cpuset=""', { domain: domain({ vcpuSet: nodes('6') }) }, ['1:2×2048']],
  ['evenly on the nodes of CPUs of several nodes', { guestCpus: '2-5' }, ['0:2×1024', '1:2×1024']],
  [
    'on the nodes of numatune, before those of the CPUs',
    { domain: domain({ memoryNodes: nodes('1') }), guestCpus: '0-3' },
    ['1:2×2048'],
  ],
  [
    'evenly on several nodes of numatune',
    { domain: domain({ memoryNodes: nodes('0-1'), memoryMode: 'interleave' }) },
    ['0:2×1024', '1:2×1024'],
  ],
  [
    'an odd page on the first of several nodes',
    { domain: domain({ memoryNodes: nodes('0-1'), memoryKib: 3 * MIB2 }) },
    ['0:2×2', '1:2×1'],
  ],
  [
    'less on a node that has less, of several',
    { domain: domain({ memoryNodes: nodes('0-1') }), picture: picture({ 0: { freeKib: GIB }, 1: {} }) },
    ['0:2×512', '1:2×1536'],
  ],
  [
    'each cell on the node of its memnode',
    { domain: domain({ cells, cellNodes: pins({ 0: '1', 1: '0' }) }) },
    ['0:2×1024', '1:2×1024'],
  ],
  [
    'a cell without memnode by numatune’s memory',
    { domain: domain({ cells, cellNodes: pins({ 0: '0' }), memoryNodes: nodes('1') }) },
    ['0:2×1024', '1:2×1024'],
  ],
  [
    'each cell on the node of its own vCPUs',
    { domain: domain({ cells, vcpuPins: pins({ 0: '4', 1: '5', 2: '0', 3: '1' }) }) },
    ['0:2×1024', '1:2×1024'],
  ],
  [
    'both cells of one node in one step',
    { domain: domain({ cells, cellNodes: pins({ 0: '1', 1: '1' }) }) },
    ['1:2×2048'],
  ],
  [
    'cells with pages of their own size',
    { domain: domain({ cells, hugepages: [pages(GIB, '1'), pages(MIB2, null)], memoryNodes: nodes('0') }) },
    ['0:2×1024', '0:1024×2'],
  ],
  [
    'nothing for a cell that no page size fits',
    { domain: domain({ cells, hugepages: [pages(GIB, '0')], memoryNodes: nodes('1') }) },
    ['1:1024×2'],
  ],
  [
    'pages of the size in the XML',
    { domain: domain({ hugepages: [pages(GIB, null)], memoryNodes: nodes('0') }) },
    ['0:1024×4'],
  ],
  [
    'pages of the default size where a <page> has none',
    {
      domain: domain({ hugepages: [pages(null, null)] }),
      picture: picture(undefined, { defaultSizeKib: GIB }),
    },
    ['0:1024×4'],
  ],
  [
    'pages of the profile’s size before those of the XML',
    { memory: { hugepageKib: GIB }, domain: domain({ hugepages: [pages(MIB2, null)] }) },
    ['0:1024×4'],
  ],
  [
    'the profile’s size instead of the cells',
    { memory: { sizeKib: GIB }, domain: domain({ cells }) },
    ['0:2×512'],
  ],
  [
    'the profile’s nodes before all else',
    {
      memory: {
        nodes: [
          { node: 0, sizeKib: GIB },
          { node: 1, sizeKib: 2 * GIB },
        ],
      },
      domain: domain({ cells, memoryNodes: nodes('0') }),
      guestCpus: '0',
    },
    ['0:2×512', '1:2×1024'],
  ],
  [
    'what the profile alone says, without a domain',
    { memory: { hugepageKib: MIB2, sizeKib: GIB }, domain: null },
    ['0:2×512'],
  ],
  [
    'not on a node that is only memory, unless it is named',
    { picture: picture({ 0: { freeKib: 4 * GIB }, 5: { cpus: '', freeKib: 7 * GIB } }) },
    ['0:2×2048'],
  ],
  [
    'on a node that is only memory where it is named',
    { domain: domain({ memoryNodes: nodes('5') }), picture: picture({ 0: {}, 5: { cpus: '' } }) },
    ['5:2×2048'],
  ],
  [
    'on a node that is only memory where there is no other',
    { picture: picture({ 5: { cpus: '' } }) },
    ['5:2×2048'],
  ],
  [
    'elsewhere where the node of the CPUs has no memory',
    { guestCpus: '0-3', picture: picture({ 0: { totalKib: 0, freeKib: 0 }, 1: {} }) },
    ['1:2×2048'],
  ],
  ['a part of a page as a whole one', { domain: domain({ memoryKib: MIB2 + 1 }) }, ['0:2×2']],
];
for (const [name, about, steps] of places) {
  test(`planMemory() takes ${name}`, () => {
    assert.deepEqual(brief(plan(about)), steps);
  });
}

test('planMemory() makes steps that say what is in the pool and what will be', () => {
  const part = plan({
    memory: { dropCaches: true },
    domain: domain({ memoryNodes: nodes('1') }),
    picture: picture({ 0: {}, 1: { pools: { [MIB2]: { pages: 100, surplus: 5, free: 60 } } } }),
  });
  assert.deepEqual(part, {
    steps: [
      {
        kind: 'hugepages',
        target: 'pages of 2 MiB on node 1',
        from: '105',
        to: '2093',
        sizeKib: MIB2,
        node: 1,
        pages: 2048,
        waitMs: 20_000,
        compact: true,
        dropCaches: true,
      },
    ],
    refusals: [],
    notes: [],
  });
});

function held(guest: string, count: number): HeldStep {
  const step = { sizeKib: MIB2, node: 0, pages: count, waitMs: 0, compact: true, dropCaches: false };
  const face = { target: '', from: null, to: null };
  return {
    guest,
    index: 0,
    at: 0,
    step: { kind: 'hugepages', ...face, ...step },
    was: { pool: 0, surplus: 0 },
    got: { added: count },
  };
}

const shares: [name: string, about: Parameters<typeof plan>[0], to: string][] = [
  ['free pages as taken from nobody', {}, '2048'],
  [
    'reserved pages as taken',
    {
      picture: picture(
        { 0: { pools: { [MIB2]: { pages: 2048 } } } },
        { totals: new Map([[MIB2, { free: 2048, reserved: 48 }]]) },
      ),
    },
    '2096',
  ],
  ['pages promised to a guest without a QEMU as taken', { others: [held('b', 1000)] }, '3048'],
  [
    'pages that its QEMU has mapped as used, whatever was promised',
    { others: [held('b', 1000)], mappedKib: new Map([['b', 1000 * MIB2]]) },
    '2048',
  ],
  [
    'only the rest as promised where a QEMU has mapped a part',
    { others: [held('b', 1000)], mappedKib: new Map([['b', 600 * MIB2]]) },
    '2448',
  ],
];
for (const [name, about, to] of shares) {
  test(`planMemory() counts ${name}`, () => {
    const part = plan({ picture: picture({ 0: { pools: { [MIB2]: { pages: 2048 } } } }), ...about });
    assert.deepEqual([part.refusals, part.steps.map((step) => step.to)], [[], [to]]);
  });
}

const refusals: [name: string, about: Parameters<typeof plan>[0], ids: string[], words: RegExp][] = [
  [
    'a page size that the kernel does not have',
    {
      memory: { hugepageKib: GIB },
      picture: picture(undefined, { totals: new Map([[MIB2, { free: 0, reserved: 0 }]]) }),
    },
    ['hugepage-size'],
    /pages of 1 GiB: this kernel on this processor has 2 MiB \(on x86 they need the processor’s pdpe1gb/,
  ],
  [
    'huge pages on a kernel without any',
    { picture: picture(undefined, { totals: new Map(), defaultSizeKib: null }) },
    ['hugepage-size'],
    /of the default size: this kernel on this processor has none at all/,
  ],
  [
    'a node that does not exist',
    { domain: domain({ memoryNodes: nodes('0,3') }) },
    ['memory-node'],
    /Cannot place the guest’s memory on node 3: the host has the nodes 0, 1/,
  ],
  [
    'a node of the profile that does not exist',
    { memory: { nodes: [{ node: 7, sizeKib: GIB }] } },
    ['memory-node'],
    /on node 7/,
  ],
  [
    'more than the node has',
    { domain: domain({ memoryKib: 9 * GIB, memoryNodes: nodes('1') }) },
    ['memory-impossible'],
    /Cannot place the guest’s memory on node 1: it needs 4608 pages of 2 MiB, 4096 is the most there can be \(8 GiB in all/,
  ],
  [
    'more than the pools of others leave',
    {
      domain: domain({ memoryNodes: nodes('1') }),
      picture: picture({ 0: {}, 1: { pools: { [GIB]: { pages: 5, free: 0 } } } }),
    },
    ['memory-impossible'],
    /needs 2048 pages of 2 MiB, 1536 is the most/,
  ],
  [
    'more than promises to others leave',
    {
      domain: domain({ memoryNodes: nodes('0') }),
      picture: picture({ 0: { pools: { [MIB2]: { pages: 3000 } } } }),
      others: [held('b', 3000)],
    },
    ['memory-impossible'],
    /needs 2048 pages of 2 MiB, 1096 is the most/,
  ],
  [
    'two cells of one node that fit alone but not together',
    {
      domain: domain({
        memoryNodes: nodes('0'),
        cells: cells.map((cell) => ({ ...cell, memoryKib: 5 * GIB })),
      }),
    },
    ['memory-impossible'],
    /Cannot place guest cell 1 on node 0: it needs 2560 pages of 2 MiB, 1536 is the most/,
  ],
  [
    'memory of a size that nobody says',
    { memory: { hugepageKib: MIB2 }, domain: null },
    ['memory-size-unknown'],
    /says how much memory/,
  ],
  [
    'each of several reasons, each once',
    { domain: domain({ cells, memoryNodes: nodes('5-6'), cellNodes: pins({ 1: '6' }) }) },
    ['memory-node', 'memory-node', 'memory-node'],
    /guest cell 0 on node 5/,
  ],
];
for (const [name, about, ids, words] of refusals) {
  test(`planMemory() refuses ${name}, and takes nothing then`, () => {
    const part = plan(about);
    assert.deepEqual([part.refusals.map(({ id }) => id), part.steps], [ids, []]);
    assert.match(part.refusals[0]!.summary, words);
  });
}

test('planMemory() says the same reason once', () => {
  const part = plan({ domain: domain({ cells, hugepages: [pages(64, null)] }) });
  assert.deepEqual(
    part.refusals.map(({ id }) => id),
    ['hugepage-size'],
  );
});

const notes: [name: string, about: Parameters<typeof plan>[0], notes: RegExp[]][] = [
  ['nothing where all is as usual', {}, []],
  [
    'memory that is no whole number of pages',
    { domain: domain({ memoryKib: MIB2 + 4 }) },
    [/the guest’s memory is 2052 KiB, no whole number of pages of 2 MiB: 4 MiB is taken/],
  ],
  [
    'pages of 1 GiB that must be found at run time',
    { memory: { hugepageKib: GIB } },
    [/4 more pages of 1 GiB on node 0 must be found in one piece/],
  ],
  [
    'nothing about pages of 1 GiB that are there',
    { memory: { hugepageKib: GIB }, picture: picture({ 0: { pools: { [GIB]: { pages: 4 } } } }) },
    [],
  ],
  [
    'memory that is neither free nor in caches',
    {
      domain: domain({ memoryNodes: nodes('0') }),
      picture: picture({ 0: { freeKib: GIB, reclaimableKib: GIB }, 1: {} }),
    },
    [/Node 0 has 2 GiB free or in caches, 4 GiB more are needed/],
  ],
  ['OpenZFS', { picture: picture(undefined, { zfs: true }) }, [/OpenZFS is loaded: memory is not compacted/]],
  [
    'nothing about OpenZFS where nobody wants to compact',
    { memory: { compact: false }, picture: picture(undefined, { zfs: true }) },
    [],
  ],
  [
    'that the profile takes none though the XML asks',
    { memory: { hugepageKib: 0 } },
    [/the profile takes none/],
  ],
  [
    'that the XML does not ask for what the profile takes',
    { memory: { hugepageKib: MIB2 }, domain: domain({ hugepages: null }) },
    [/The domain XML has no <memoryBacking>/],
  ],
  [
    'that size and nodes do nothing without huge pages',
    { memory: { sizeKib: GIB }, domain: domain({ hugepages: null }) },
    [/size and nodes do nothing/],
  ],
  [
    'that a part of the memory is not covered',
    { memory: { sizeKib: GIB } },
    [/taken for 1 GiB of the guest’s 4 GiB/],
  ],
  [
    'that memory devices are not covered',
    { domain: domain({ cells, memoryKib: 6 * GIB }) },
    [/taken for 4 GiB of the guest’s 6 GiB/],
  ],
];
for (const [name, about, expected] of notes) {
  test(`planMemory() notes ${name}`, () => {
    const part = plan(about);
    assert.equal(part.notes.length, expected.length, part.notes.join('\n'));
    for (const [at, words] of expected.entries()) assert.match(part.notes[at]!, words);
  });
}

test('planMemory() never lets the kernel compact where OpenZFS is loaded', () => {
  const part = plan({ picture: picture(undefined, { zfs: true }) });
  assert.deepEqual(
    (part.steps as StepOf<'hugepages'>[]).map(({ compact }) => compact),
    [false],
  );
});

test('wantsHugepages() asks the profile first, then the domain', () => {
  const answers = [null, 0, MIB2].map((hugepageKib) =>
    [domain(), domain({ hugepages: null }), null].map((of) =>
      wantsHugepages({ memory: memory({ hugepageKib }) }, of),
    ),
  );
  assert.deepEqual(answers, [
    [true, false, false],
    [false, false, false],
    [true, true, true],
  ]);
});
