import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { placeThreads } from '../../../lib/run/place-threads.ts';
import { QmpClient } from '../../../lib/run/qmp-client.ts';
import {
  parseScheduling,
  planPlacements,
  readGuestThreads,
  type ThreadWishes,
} from '../../../lib/run/threads.ts';
import { type CpuSet, formatCpuList, parseCpuList } from '../../../lib/words/cpu-list.ts';
import { fakeQemu } from '../../fake/fake-connection.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const NONE: ThreadWishes = { vcpus: new Map(), iothreads: new Map(), emulator: null, realtime: new Map() };

test('readGuestThreads() reads what QEMU answers and leaves out what is no thread', async () => {
  const asked: string[] = [];
  const answers = {
    'query-cpus-fast': [
      { 'cpu-index': 0, 'thread-id': 71, target: 'x86_64' },
      { 'cpu-index': 1, 'thread-id': 72 },
      { 'cpu-index': -1, 'thread-id': 73 },
      { 'cpu-index': 2, 'thread-id': '1; reboot' },
      { 'cpu-index': 3, 'thread-id': 0 },
      null,
    ],
    'query-iothreads': [
      { id: 'io0', 'thread-id': 80 },
      { id: 7, 'thread-id': 81 },
    ],
  };
  const qmp = await QmpClient.open(fakeQemu(answers, (command) => void asked.push(command)));
  assert.deepEqual(await readGuestThreads(qmp, NONE), { vcpus: new Map(), iothreads: new Map() });
  assert.deepEqual(asked, ['qmp_capabilities']);
  const wishes = { ...NONE, vcpus: new Map([[0, [1]]]), iothreads: new Map([['io0', [1]]]) };
  assert.deepEqual(await readGuestThreads(qmp, wishes), {
    vcpus: new Map([
      [0, 71],
      [1, 72],
    ]),
    iothreads: new Map([['io0', 80]]),
  });
});

test('planPlacements() refuses a wish for a thread that is not there', () => {
  const wishes = { ...NONE, vcpus: new Map([[1, [3]]]) };
  const threads = { vcpus: new Map([[0, 70]]), iothreads: new Map() };
  assert.throws(() => planPlacements(wishes, threads), /Cannot place vCPU 1: QEMU has no such thread/);
});

test('parseScheduling() reads any list and any name of a thread', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(300), { minLength: 1 }),
      fc.string({ maxLength: 15 }),
      fc.integer({ min: 0, max: 99 }),
      (cpus, name, priority) => {
        const list = formatCpuList(cpus.sort((a, b) => a - b));
        const stat = `12 (${name.replace(/\n/g, '')}) S ${'0 '.repeat(36)}${priority} 2 0`;
        assert.deepEqual(parseScheduling(`Name:\tx\nCpus_allowed_list:\t${list}\n`, stat), {
          cpus,
          policy: 'rr',
          priority,
        });
      },
    ),
  );
});

/** A QEMU whose threads obey taskset and chrt; `allowed` is what its cgroup leaves of each list. */
function machine(tasks: readonly number[], allowed: (cpus: CpuSet) => CpuSet = (cpus) => cpus) {
  const host = new FakeHost();
  const pid = tasks[0]!;
  const set = (task: number, cpus: CpuSet) =>
    host.put(`/proc/${pid}/task/${task}/status`, `Cpus_allowed_list:\t${formatCpuList(allowed(cpus))}\n`);
  for (const task of tasks) {
    set(task, [0, 1, 2, 3]);
    host.put(`/proc/${pid}/task/${task}/stat`, `${task} (CPU 0/TCG) S ${'0 '.repeat(36)}0 0 0`);
  }
  host.onRun('taskset', (argv) => {
    const all = argv.includes('--all-tasks');
    const cpus = parseCpuList(argv.at(-2)!)!;
    for (const task of all ? tasks : [Number(argv.at(-1))]) set(task, cpus);
    return { status: 0 };
  });
  host.onRun('chrt', (argv) => {
    const policy = argv.includes('--fifo') ? 1 : 2;
    const task = argv.at(-1);
    host.put(`/proc/${pid}/task/${task}/stat`, `${task} (x) S ${'0 '.repeat(36)}${argv.at(-2)} ${policy} 0`);
    return { status: 0 };
  });
  return host;
}

const WISHES: ThreadWishes = {
  vcpus: new Map([
    [0, [2]],
    [1, [3]],
  ]),
  iothreads: new Map([['io0', [1]]]),
  emulator: [0, 1],
  realtime: new Map([[1, { policy: 'fifo', priority: 5 }]]),
};
const THREADS = {
  vcpus: new Map([
    [0, 71],
    [1, 72],
  ]),
  iothreads: new Map([['io0', 73]]),
};

test('placeThreads() puts the emulator first, then each thread, and reads it back', async () => {
  const host = machine([70, 71, 72, 73, 74]);
  await placeThreads(host, 70, WISHES, THREADS);
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('run ')),
    [
      'run taskset --all-tasks --cpu-list --pid 0-1 70',
      'run taskset --cpu-list --pid 2 71',
      'run taskset --cpu-list --pid 3 72',
      'run taskset --cpu-list --pid 1 73',
      'run chrt --fifo --pid 5 72',
    ],
  );
});

test('placeThreads() leaves a QEMU where it was started', async () => {
  const host = machine([70, 71, 72, 73], () => [0, 1]);
  host.put('/proc/70/task/70/status', 'Cpus_allowed_list:\t0-1\n');
  await placeThreads(host, 70, { ...NONE, emulator: [0, 1] }, THREADS);
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('run ')),
    [],
  );
});

test('placeThreads() does not believe success: a cpuset that cuts the list short is told', async () => {
  const host = machine([70, 71, 72, 73], (cpus) =>
    cpus.filter((cpu) => cpu < 3).concat(cpus[0] === 3 ? [0] : []),
  );
  await assert.rejects(placeThreads(host, 70, WISHES, THREADS), /vCPU 1 may use CPUs 0, must be 3/);
});

test('placeThreads() tells a scheduling that did not come, a thread that went, and what taskset said', async () => {
  const deaf = machine([70, 71, 72, 73]).onRun('chrt', () => ({ status: 0 }));
  await assert.rejects(
    placeThreads(deaf, 70, WISHES, THREADS),
    /vCPU 1 is scheduled as other 0, must be fifo 5/,
  );
  const gone = machine([70, 71, 72, 73]);
  gone.drop('/proc/70/task/73');
  gone.onRun('taskset', () => ({ status: 0 }));
  await assert.rejects(placeThreads(gone, 70, WISHES, THREADS), /iothread io0 is gone/);
  const refused = machine([70, 71, 72, 73]).onRun('taskset', () => ({
    status: 1,
    stderr: 'taskset: failed to set pid 70’s affinity: Invalid argument\n',
  }));
  await assert.rejects(
    placeThreads(refused, 70, WISHES, THREADS),
    /Cannot place the emulator: taskset: failed/,
  );
});

test('placeThreads() without a wish runs nothing', async () => {
  const host = machine([70]);
  assert.deepEqual(await placeThreads(host, 70, NONE, THREADS), []);
  assert.deepEqual(host.calls, []);
});
