import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMeminfo, readMemoryPicture } from '../../../lib/host/memory.ts';
import { readPagePool, readPageSizes } from '../../../lib/host/page-pool.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addMemory, reservePages } from '../../fake/memory-model.ts';

const POOLS = '/sys/devices/system/node/node0/hugepages';

test('parseMeminfo() reads the machine’s and a node’s form, and leaves counts without a unit out', () => {
  const text =
    'MemTotal:        8039432 kB\nNode 1 MemFree:  12 kB\nNode 1 Active(file):   3 kB\nHugePages_Total:    7\n  odd: 1 kB\nBad: x kB\n';
  assert.deepEqual(
    [...parseMeminfo(text)],
    [
      ['MemTotal', 8_039_432],
      ['MemFree', 12],
      ['Active(file)', 3],
    ],
  );
});

test('readMemoryPicture() reads nodes with gaps between their numbers, and one that is only memory', () => {
  const host = new FakeHost();
  addMemory(host, [
    {
      id: 0,
      cpus: '0-3',
      totalKib: 1000,
      freeKib: 600,
      cachesKib: 50,
      pools: { 2048: { pages: 7, surplus: 2, used: 4 }, 1048576: { pages: 0 } },
    },
    { id: 8, cpus: '', totalKib: 500, freeKib: 400, pools: { 2048: { pages: 0 }, 1048576: { pages: 1 } } },
  ]);
  host.putFolder('/sys/devices/system/node/power').put('/sys/devices/system/node/online', '0,8\n');
  reservePages(host, 2048, 3);
  const pool = (node: number, size: string, counts: object) => ({
    folder: `/sys/devices/system/node/node${node}/hugepages/hugepages-${size}kB`,
    ...counts,
  });
  assert.deepEqual(readMemoryPicture(host), {
    nodes: [
      {
        id: 0,
        cpus: [0, 1, 2, 3],
        totalKib: 1000,
        freeKib: 600,
        reclaimableKib: 50,
        pools: new Map([
          [2048, pool(0, '2048', { pages: 7, surplus: 2, free: 5, used: 4 })],
          [1048576, pool(0, '1048576', { pages: 0, surplus: 0, free: 0, used: 0 })],
        ]),
      },
      {
        id: 8,
        cpus: [],
        totalKib: 500,
        freeKib: 400,
        reclaimableKib: 0,
        pools: new Map([
          [2048, pool(8, '2048', { pages: 0, surplus: 0, free: 0, used: 0 })],
          [1048576, pool(8, '1048576', { pages: 1, surplus: 0, free: 1, used: 0 })],
        ]),
      },
    ],
    totals: new Map([
      [2048, { free: 5, reserved: 3 }],
      [1048576, { free: 1, reserved: 0 }],
    ]),
    defaultSizeKib: 2048,
    zfs: false,
  });
});

test('readMemoryPicture() takes the whole machine for node 0 where the kernel knows no nodes, and sees OpenZFS', () => {
  const host = new FakeHost();
  addMemory(host, [{ id: 0, cpus: '0-3', totalKib: 1000, freeKib: 600, pools: { 2048: { pages: 7 } } }], {
    numa: false,
  });
  host.put('/sys/devices/system/cpu/online', '0-3\n').putFolder('/sys/module/zfs');
  const { nodes, zfs } = readMemoryPicture(host);
  assert.equal(zfs, true);
  assert.deepEqual(nodes, [
    {
      id: 0,
      cpus: [0, 1, 2, 3],
      totalKib: 1000,
      freeKib: 600,
      reclaimableKib: 0,
      pools: new Map([
        [
          2048,
          { folder: '/sys/kernel/mm/hugepages/hugepages-2048kB', pages: 7, surplus: 0, free: 7, used: 0 },
        ],
      ]),
    },
  ]);
});

test('readMemoryPicture() reads a kernel without huge pages', () => {
  const { totals, nodes, defaultSizeKib } = readMemoryPicture(new FakeHost());
  assert.deepEqual([totals.size, nodes.map((node) => node.pools.size), defaultSizeKib], [0, [0], null]);
});

test('readPageSizes() takes only what is a page size, ascending', () => {
  const host = new FakeHost();
  for (const name of [
    'hugepages-1048576kB',
    'hugepages-64kB',
    'hugepages-2048kB',
    'hugepages-xkB',
    'other',
  ]) {
    host.putFolder(`/sys/kernel/mm/hugepages/${name}`);
  }
  assert.deepEqual(readPageSizes(host), [64, 2048, 1048576]);
});

test('readPagePool() has no pool for a node that is not there, nor for text that is no number', () => {
  const host = new FakeHost().put(`${POOLS}/hugepages-2048kB/nr_hugepages`, 'many\n');
  host.put('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '5\n');
  assert.deepEqual(
    [readPagePool(host, 2048, 1), readPagePool(host, 2048, 0), readPagePool(host, 64, 0)],
    [null, null, null],
  );
});
