import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planPin } from '../../../lib/plan/pin.ts';
import type { PinInput } from '../../../lib/plan/pinning.ts';
import { type CpuSet, formatCpuList } from '../../../lib/words/cpu-list.ts';
import { RefusedError } from '../../../lib/words/errors.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import { makeTopology, SHAPES, type Shape } from '../../fake/topologies.ts';

type Wish = Partial<PinInput['wish']> & { taken?: Record<string, CpuSet>; deviceNode?: number | null };

function inputOf(shape: Shape, { taken = {}, deviceNode, ...wish }: Wish): PinInput {
  const address = '0000:41:00.0' as PciAddress;
  return {
    topology: makeTopology(shape),
    taken: new Map(Object.entries(taken)),
    wish: {
      vcpus: null,
      smt: 'keep',
      largeCache: false,
      device: deviceNode === undefined ? null : { address, node: deviceNode },
      ...wish,
    },
  };
}

interface Row {
  readonly shape: keyof typeof SHAPES;
  readonly wish?: Wish;
  /** vCPUs in their order / emulator / iothread / place / cores x threads. */
  readonly wanted: string;
}

const ROWS: readonly Row[] = [
  { shape: 'quad', wanted: '1,2,3 / 0 / 0 / l3 0 / 3x1' },
  { shape: 'quad', wish: { vcpus: 2 }, wanted: '2,3 / 1 / 1 / l3 0 / 2x1' },
  { shape: 'quad', wish: { vcpus: 1 }, wanted: '3 / 1 / 2 / l3 0 / 1x1' },
  { shape: 'eight', wanted: '2,10,3,11,4,12,5,13,6,14,7,15 / 1,9 / 1,9 / l3 0 / 6x2' },
  { shape: 'eight', wish: { vcpus: 4 }, wanted: '6,14,7,15 / 1,9 / 2,10 / l3 0 / 2x2' },
  { shape: 'eight', wish: { vcpus: 5 }, wanted: '5,13,6,14,7 / 1,9 / 2,10 / l3 0 / 5x1' },
  { shape: 'eight', wish: { vcpus: 4, smt: 'spread' }, wanted: '4,5,6,7 / 1,9 / 2,10 / l3 0 / 4x1' },
  { shape: 'neighbours', wish: { vcpus: 4 }, wanted: '12,13,14,15 / 2-3 / 4-5 / l3 0 / 2x2' },
  { shape: 'stacked', wish: { vcpus: 8 }, wanted: '12,28,13,29,14,30,15,31 / 8,24 / 9,25 / l3 1 / 4x2' },
  {
    shape: 'stacked',
    wish: { vcpus: 8, largeCache: true },
    wanted: '4,20,5,21,6,22,7,23 / 1,17 / 2,18 / l3 0 / 4x2',
  },
  {
    shape: 'stacked',
    wish: { largeCache: true },
    wanted: '1,17,2,18,3,19,4,20,5,21,6,22,7,23 / 8,24 / 9,25 / l3 0 / 7x2',
  },
  // The die without the host's core is the largest there is
  {
    shape: 'twoDies',
    wanted: '8,24,9,25,10,26,11,27,12,28,13,29,14,30,15,31 / 1,17 / 2,18 / l3 1 / 8x2',
  },
  {
    shape: 'hybrid',
    wanted: '2,3,4,5,6,7,8,9,10,11,12,13,14,15 / 16 / 17 / l3 0 / 7x2',
  },
  { shape: 'hybrid', wish: { vcpus: 4 }, wanted: '12,13,14,15 / 16 / 17 / l3 0 / 2x2' },
  { shape: 'dealt', wish: { vcpus: 4 }, wanted: '29,61,31,63 / 1,33 / 3,35 / l3 1 / 2x2' },
  { shape: 'dealt', wish: { vcpus: 4, deviceNode: 0 }, wanted: '28,60,30,62 / 2,34 / 4,36 / l3 0 / 2x2' },
  { shape: 'dealt', wish: { vcpus: 4, deviceNode: null }, wanted: '29,61,31,63 / 1,33 / 3,35 / l3 1 / 2x2' },
  { shape: 'server', wish: { vcpus: 8 }, wanted: '4,36,5,37,6,38,7,39 / 1,33 / 2,34 / l3 1 / 4x2' },
  {
    shape: 'server',
    wish: { vcpus: 12, deviceNode: 4 },
    wanted: '18,50,19,51,20,52,21,53,22,54,23,55 / 16,48 / 17,49 / node 4 / 6x2',
  },
  // A node of memory alone: the one that is nearest to it
  {
    shape: 'server',
    wish: { vcpus: 8, deviceNode: 9 },
    wanted: '24,56,25,57,26,58,27,59 / 28,60 / 29,61 / l3 6 / 4x2',
  },
  {
    shape: 'server',
    wish: { vcpus: 20, deviceNode: 4 },
    wanted: '16,48,17,49,18,50,19,51,20,52,21,53,22,54,23,55,26,58,27,59 / 24,56 / 25,57 / machine / 10x2',
  },
  { shape: 'silent', wanted: '1,2,3 / 0 / 0 / machine / 3x1' },
  { shape: 'halfOffline', wanted: '1 / 0,2 / 0,2 / node 0 / 1x1' },
  { shape: 'quad', wish: { vcpus: 1, taken: { other: [2, 3] } }, wanted: '1 / 0 / 0 / l3 0 / 1x1' },
];

for (const { shape, wish = {}, wanted } of ROWS) {
  test(`planPin() on ${shape} with ${JSON.stringify(wish)}`, () => {
    const { vcpus, emulator, iothread, place, cores, threads } = planPin(inputOf(SHAPES[shape], wish));
    const where = place.id === null ? place.level : `${place.level} ${place.id}`;
    assert.equal(
      `${vcpus.join()} / ${formatCpuList(emulator)} / ${formatCpuList(iothread)} / ${where} / ${cores}x${threads}`,
      wanted,
    );
  });
}

test('planPin() prefers what the kernel keeps free already', () => {
  const shape = { ...SHAPES.eight, isolated: [2, 3, 10, 11] };
  const { vcpus, reasons } = planPin(inputOf(shape, { vcpus: 4 }));
  assert.deepEqual(vcpus, [2, 10, 3, 11]);
  assert.ok(reasons.includes('The kernel was booted with isolcpus=2-3,10-11, which fits.'));
});

const REFUSED: readonly [keyof typeof SHAPES, Wish, string][] = [
  ['single', {}, 'Cannot place 1 vCPU: the host must keep one core, and there is no other'],
  ['quad', { vcpus: 4 }, 'Cannot place 4 vCPUs: the cores hold 3 beside the host'],
  ['eight', { vcpus: 16 }, 'Cannot place 16 vCPUs: the cores hold 12 beside the host'],
  ['eight', { vcpus: 8, smt: 'spread' }, 'Cannot place 8 vCPUs: the cores hold 6 beside the host'],
  ['hybrid', { vcpus: 16 }, 'Cannot place 16 vCPUs: the performance cores hold 14 beside the host'],
  [
    'stacked',
    { vcpus: 16, largeCache: true },
    'Cannot place 16 vCPUs: the cores below the large cache hold 14 beside the host',
  ],
  [
    'twoDies',
    { largeCache: true },
    'Cannot choose a large cache: no level 3 cache of this machine is rich beside the others',
  ],
  ['silent', { largeCache: true }, 'Cannot choose a large cache: the machine tells of no level 3 cache'],
  [
    'quad',
    { vcpus: 2, taken: { other: [2, 3] } },
    'Cannot place 2 vCPUs: the cores hold 1 beside the host and other guests',
  ],
];
for (const [shape, wish, message] of REFUSED) {
  test(`planPin() refuses on ${shape} ${JSON.stringify(wish)}`, () => {
    assert.throws(
      () => planPin(inputOf(SHAPES[shape], wish)),
      (error) => error instanceof RefusedError && error.message === message,
    );
  });
}

test('planPin() says why, in sentences', () => {
  assert.deepEqual(
    planPin(inputOf(SHAPES.dealt, { vcpus: 4, deviceNode: 0, taken: { old: [1, 33] } })).reasons,
    [
      '4 vCPUs on 2 cores, CPUs 28,30,60,62: they share one L3 cache of 40 MiB.',
      'The guest gets whole cores, 2 threads each, and should be told so.',
      'The host keeps CPUs 0,2-27,29,31-32,34-59,61,63, its first core among them, where the kernel does what it cannot do elsewhere.',
      '0000:41:00.0 is on node 0 too.',
      'Guest old has CPUs 1,33.',
      'The emulator runs on CPUs 2,34 and I/O threads on CPUs 4,36, beside the guest and with the host.',
    ],
  );
  const spread = planPin(inputOf(SHAPES.server, { vcpus: 20, deviceNode: 9 })).reasons;
  assert.equal(
    spread[0],
    '20 vCPUs on 10 cores, CPUs 18-19,24-31,50-51,56-63: no single node holds that many, so they lie on nodes 4,6; give the guest a NUMA topology of its own.',
  );
  assert.equal(spread[3], '0000:41:00.0 is on node 9, which has no CPUs to give.');
  assert.match(
    planPin(inputOf(SHAPES.silent, {})).reasons.join(' '),
    /does not tell which CPUs share a core/,
  );
});
