import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDistances, readTopology } from '../../../lib/host/topology.ts';
import { parseCacheSize } from '../../../lib/host/topology-caches.ts';
import { addCpus, addPolicies, listOf } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const CPUS = '/sys/devices/system/cpu';

/** Puts what the kernel tells of one CPU that is online. */
function putCpu(
  host: FakeHost,
  id: number,
  core: number,
  siblings: string,
  extra: { package?: number; die?: number } = {},
): void {
  const folder = `${CPUS}/cpu${id}/topology`;
  host.put(`${folder}/physical_package_id`, `${extra.package ?? 0}\n`);
  host.put(`${folder}/die_id`, `${extra.die ?? 0}\n`);
  host.put(`${folder}/core_id`, `${core}\n`);
  host.put(`${folder}/core_cpus_list`, `${siblings}\n`);
}

function putCache(
  host: FakeHost,
  cpus: string,
  index: number,
  text: { level: number; type: string; size: string; id?: number },
): void {
  for (const cpu of listOf(cpus)) {
    const folder = `${CPUS}/cpu${cpu}/cache/index${index}`;
    host.put(`${folder}/level`, `${text.level}\n`);
    host.put(`${folder}/type`, `${text.type}\n`);
    host.put(`${folder}/size`, `${text.size}\n`);
    host.put(`${folder}/shared_cpu_list`, `${cpus}\n`);
    if (text.id !== undefined) host.put(`${folder}/id`, `${text.id}\n`);
  }
}

function putNode(host: FakeHost, id: number, cpus: string, distance: string): void {
  const folder = `/sys/devices/system/node/node${id}`;
  host.put(`${folder}/cpulist`, `${cpus}\n\0`);
  host.put(`${folder}/distance`, `${distance}\n`);
  host.put(`${folder}/meminfo`, `Node ${id} MemTotal:       2048 kB\nNode ${id} MemFree:        1024 kB\n`);
}

test('readTopology() tells cores, siblings with odd numbers, caches, sparse nodes and offline CPUs', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-2,4', present: '0-4', isolated: '4', nohzFull: '4' });
  // Siblings half the machine apart, and one core whose sibling is offline
  putCpu(host, 0, 0, '0,2');
  putCpu(host, 2, 0, '0,2');
  putCpu(host, 1, 1, '1');
  putCpu(host, 4, 0, '4', { package: 1, die: 1 });
  putCache(host, '0,2', 0, { level: 1, type: 'Data', size: '32K' });
  putCache(host, '0-2', 3, { level: 3, type: 'Unified', size: '32M', id: 0 });
  putCache(host, '4', 3, { level: 3, type: 'Unified', size: '8192K', id: 7 });
  putNode(host, 0, '0-2', '10 21');
  putNode(host, 2, '4', '21 10');
  host.put('/sys/devices/cpu_core/cpus', '0,2\n');
  host.put('/sys/devices/cpu_atom/cpus', '1\n');
  addPolicies(host, [{ cpus: '0', governor: 'powersave', energy: 'balance_power' }]);
  host.put(`${CPUS}/cpufreq/policy0/cpuinfo_max_freq`, '5200000\n');

  const common = {
    package: 0,
    die: 0,
    l3: 0,
    node: 0,
    maxKHz: null,
    isolated: false,
    governor: null,
    epp: null,
  };
  assert.deepEqual(readTopology(host), {
    packages: 2,
    cores: 3,
    threads: 4,
    cpus: [
      {
        ...common,
        id: 0,
        online: true,
        core: 0,
        siblings: '0,2',
        kind: 'performance',
        maxKHz: 5_200_000,
        governor: 'powersave',
        epp: 'balance_power',
      },
      { ...common, id: 1, online: true, core: 1, siblings: '1', kind: 'efficiency' },
      { ...common, id: 2, online: true, core: 0, siblings: '0,2', kind: 'performance' },
      {
        ...common,
        id: 3,
        online: false,
        package: null,
        die: null,
        core: null,
        siblings: null,
        l3: null,
        node: null,
        kind: null,
      },
      {
        ...common,
        id: 4,
        online: true,
        package: 1,
        die: 1,
        core: 0,
        siblings: '4',
        l3: 7,
        node: 2,
        kind: null,
        isolated: true,
      },
    ],
    caches: [
      { level: 1, type: 'data', cpus: '0,2', sizeKiB: 32 },
      { level: 3, type: 'unified', cpus: '0-2', sizeKiB: 32_768 },
      { level: 3, type: 'unified', cpus: '4', sizeKiB: 8192 },
    ],
    nodes: [
      { id: 0, cpus: '0-2', memoryKiB: 2048, distances: [10, 21], hugepages: [] },
      { id: 2, cpus: '4', memoryKiB: 2048, distances: [21, 10], hugepages: [] },
    ],
    isolated: '4',
    nohzFull: '4',
  });
});

test('readTopology() gives null for what a machine does not tell, never a guess', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-1' });
  host.put(`${CPUS}/cpu0/topology/physical_package_id`, '-1\n');
  host.put(`${CPUS}/cpu1/topology/physical_package_id`, '65535\n');
  host.put('/proc/meminfo', 'MemTotal:  4096 kB\n');
  const nothing = {
    online: true,
    package: null,
    die: null,
    core: null,
    siblings: null,
    l3: null,
    node: 0,
    kind: null,
    maxKHz: null,
    isolated: false,
    governor: null,
    epp: null,
  };
  assert.deepEqual(readTopology(host), {
    packages: null,
    cores: null,
    threads: 2,
    cpus: [
      { id: 0, ...nothing },
      { id: 1, ...nothing },
    ],
    caches: [],
    nodes: [{ id: 0, cpus: '0-1', memoryKiB: 4096, distances: [], hugepages: [] }],
    isolated: '',
    nohzFull: '',
  });
});

test('parseCacheSize() reads the kernel’s sizes and takes nothing else for one', () => {
  const sizes = { '48K': 48, '1M': 1024, '0K': null, '': null, '32': null, '32G': null, '-1K': null };
  for (const [text, kib] of Object.entries(sizes)) assert.equal(parseCacheSize(text), kib, text);
});

test('parseDistances() reads a row of the distance matrix', () => {
  assert.deepEqual(parseDistances('10 21 31'), [10, 21, 31]);
  assert.deepEqual(parseDistances(''), []);
});

test('readTopology() reads masks where there are no lists, strided lists, and lists that end in a NUL', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-6:2', present: '0-7' });
  for (const cpu of [0, 2, 4, 6]) {
    host.put(`${CPUS}/cpu${cpu}/topology/thread_siblings`, `00000000,000000${cpu < 4 ? '05' : '50'}\n`);
    const folder = `${CPUS}/cpu${cpu}/cache/index3`;
    host.put(`${folder}/level`, '3\n').put(`${folder}/type`, 'Unified\n').put(`${folder}/size`, '8M\n');
    host.put(`${folder}/shared_cpu_map`, '55\n\0');
  }
  const place = '/sys/devices/system/node/node0';
  host.put(`${place}/cpumap`, '55\n').put(`${place}/distance`, '10\n').put(`${place}/meminfo`, '');
  const { cpus, caches, cores, threads, nodes } = readTopology(host);
  assert.deepEqual(
    nodes.map(({ id, cpus }) => [id, cpus]),
    [[0, '0,2,4,6']],
  );
  assert.deepEqual(
    cpus.filter(({ online }) => online).map(({ id, siblings, l3 }) => [id, siblings, l3]),
    [
      [0, '0,2', 0],
      [2, '0,2', 0],
      [4, '4,6', 0],
      [6, '4,6', 0],
    ],
  );
  assert.deepEqual(caches, [{ level: 3, type: 'unified', cpus: '0,2,4,6', sizeKiB: 8192 }]);
  assert.deepEqual([cores, threads], [2, 4]);
});
