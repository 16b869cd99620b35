import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PagePool, readPagePool } from '../../../lib/host/page-pool.ts';
import { givablePages, growPool, relieveMemory, shrinkPool } from '../../../lib/steps/page-pool-changes.ts';
import { HostError } from '../../../lib/words/errors.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addMemory, type FakePool, poolOf } from '../../fake/memory-model.ts';

const SIZE = 2048;
const where = { sizeKib: SIZE, node: 0 };

function machine(pool: FakePool): FakeHost {
  const host = new FakeHost();
  addMemory(host, [{ id: 0, cpus: '0', totalKib: 200 * SIZE, freeKib: 100 * SIZE, pools: { [SIZE]: pool } }]);
  return host;
}

test('growPool() and shrinkPool() count lasting pages, not surplus ones', () => {
  const host = machine({ pages: 10, surplus: 4, used: 8 });
  assert.equal(shrinkPool(host, where, 2), 2);
  assert.deepEqual(poolOf(host, 0, SIZE), { pages: 8, surplus: 4, used: 8, free: 4 });
  assert.equal(growPool(host, readPagePool(host, SIZE, 0)!, 5, where), 5);
  assert.deepEqual(poolOf(host, 0, SIZE), { pages: 13, surplus: 0, used: 8, free: 5 });
});

test('growPool() gives how many came, none where the kernel makes none, and throws what else goes wrong', () => {
  const host = machine({ pages: 10 });
  const pool = readPagePool(host, SIZE, 0)!;
  assert.equal(growPool(host, pool, 1000, where), 100);
  for (const [code, throws] of [
    ['EINVAL', false],
    ['ENOMEM', false],
    ['EIO', true],
  ] as const) {
    host.write = () => {
      throw new HostError(code, { code });
    };
    if (throws) assert.throws(() => growPool(host, pool, 1, where), { message: code });
    else assert.equal(growPool(host, pool, 1, where), 0);
  }
});

test('shrinkPool() stops at an empty pool and at none', () => {
  const host = machine({ pages: 3 });
  assert.deepEqual([shrinkPool(host, where, 5), shrinkPool(host, where, 1)], [3, 0]);
  assert.equal(shrinkPool(host, { ...where, node: 4 }, 1), 0);
});

const pools: [
  name: string,
  pool: Partial<PagePool>,
  surplusBefore: number,
  kept: Parameters<typeof givablePages>[2],
  givable: number,
][] = [
  ['all that is free', { free: 50 }, 0, kept(0, 0, 50), 50],
  ['not what was promised on the node, though others have plenty', { free: 50 }, 0, kept(30, 30, 500), 20],
  ['not what is reserved on the machine', { free: 50 }, 0, kept(0, 0, 50, 30), 20],
  ['not what is promised or reserved elsewhere', { free: 50 }, 0, kept(0, 40, 100, 30), 30],
  ['nothing where others lack some', { free: 50 }, 0, kept(80, 80, 50), 0],
  ['what was surplus before, where none is free', { free: 0, surplus: 1 }, 5, kept(0, 0, 0), 4],
  ['no more than there is of it', { free: 0, pages: 2 }, 5, kept(0, 0, 0), 2],
  ['nothing of it while some are free', { free: 3 }, 5, kept(3, 3, 3), 0],
  ['nothing where all is in use', { free: 0, used: 100 }, 0, kept(0, 0, 0), 0],
];
for (const [name, about, surplusBefore, others, givable] of pools) {
  test(`givablePages() gives ${name}`, () => {
    const pool = { folder: '', pages: 100, surplus: 0, free: 0, used: 50, ...about };
    assert.equal(givablePages(pool, surplusBefore, others), givable);
  });
}

function kept(
  here: number,
  everywhere: number,
  free: number,
  reserved = 0,
): Parameters<typeof givablePages>[2] {
  return { here, everywhere, totals: { free, reserved } };
}

const step: StepOf<'hugepages'> = {
  kind: 'hugepages',
  target: '',
  from: null,
  to: null,
  sizeKib: SIZE,
  node: 0,
  pages: 1,
  waitMs: 0,
  compact: true,
  dropCaches: true,
};
const reliefs: [name: string, about: Partial<typeof step>, isFirst: boolean, writes: string[]][] = [
  [
    'drops caches and compacts the first time',
    {},
    true,
    ['/proc/sys/vm/drop_caches = "3\\n"', '/sys/devices/system/node/node0/compact = "1\\n"'],
  ],
  ['compacts alone later', {}, false, ['/sys/devices/system/node/node0/compact = "1\\n"']],
  [
    'drops caches alone where it may not compact',
    { compact: false },
    true,
    ['/proc/sys/vm/drop_caches = "3\\n"'],
  ],
  ['does nothing where it may do neither', { compact: false, dropCaches: false }, true, []],
];
for (const [name, about, isFirst, writes] of reliefs) {
  test(`relieveMemory() ${name}`, () => {
    const host = machine({ pages: 0 });
    relieveMemory(host, { ...step, ...about }, isFirst);
    assert.deepEqual(
      host.calls.filter((call) => call.startsWith('write ')).map((call) => call.slice('write '.length)),
      writes,
    );
  });
}

test('relieveMemory() goes on without what this kernel does not have, and where it refuses', () => {
  const host = machine({ pages: 0 });
  host.drop('/proc/sys/vm/drop_caches').drop('/sys/devices/system/node/node0/compact');
  host.write = (path) => {
    throw new HostError(`no ${path}`, { code: 'EINVAL' });
  };
  relieveMemory(host, step, true);
  assert.deepEqual(host.logged, ['warning: no /proc/sys/vm/compact_memory']);
});
