import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../lib/words/step.ts';
import { cpuMachine, dumpCpus } from '../../fake/cpu-machine.ts';
import { addTasks } from '../../fake/cpu-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';

const ROOT = '/sys/fs/cgroup';

function machine(forgets = false): FakeHost {
  return cpuMachine({ systemd: false, forgets });
}

function partition(guestCpus: string): Step {
  return { kind: 'partition', cgroup: 'machine', guestCpus, target: 'machine', from: null, to: guestCpus };
}

/** What the root may use, what the partition has and whether it is one. */
function state(host: FakeHost): (string | undefined)[] {
  return ['cpuset.cpus.effective', 'machine/cpuset.cpus', 'machine/cpuset.cpus.partition'].map((file) =>
    host.peek(`${ROOT}/${file}`)?.trim(),
  );
}

/** The machine without its tasks: what becomes of these is the affinities' matter. */
function dump(host: FakeHost): string[] {
  return dumpCpus(host).filter((line) => !line.startsWith('/proc/'));
}

test('partition sets CPUs apart and gives everything back', async () => {
  const host = machine();
  const before = dump(host);
  const guests = new Guests(host);
  await guests.prepare('a', partition('4-7'));
  assert.deepEqual(state(host), ['0-3', '4-7', 'root']);
  assert.deepEqual(guests.memory('a'), { existed: false, cpus: '', partition: 'member', controllers: '' });
  await guests.release('a');
  assert.deepEqual(dump(host), before);
});

for (const [first, second, left] of [
  ['a', 'b', ['0-5', '6-7', 'root']],
  ['b', 'a', ['0-3,6-7', '4-5', 'root']],
] as const) {
  test(`partition of two guests, ${first} released first`, async () => {
    const host = machine();
    const before = dump(host);
    const guests = new Guests(host);
    await guests.prepare('a', partition('4-5'));
    await guests.prepare('b', partition('6-7'));
    assert.deepEqual(state(host), ['0-3', '4-7', 'root']);
    await guests.release(first);
    assert.deepEqual(state(host), [...left]);
    await guests.release(second);
    assert.deepEqual(dump(host), before);
    assert.deepEqual(guests.notes, []);
  });
}

test('partition keeps a cgroup and a controller that were there before', async () => {
  const host = machine();
  host.write(`${ROOT}/cgroup.subtree_control`, '+cpuset +cpu');
  host.makeFolder(`${ROOT}/machine`, 0o755);
  const before = dump(host);
  const guests = new Guests(host);
  await guests.prepare('a', partition('4-7'));
  await guests.release('a');
  assert.deepEqual(dump(host), before);
});

test('partition leaves a cgroup that others have come to use, with all CPUs', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', partition('4-7'));
  host.makeFolder(`${ROOT}/machine/qemu-1-b.libvirt-qemu`, 0o755);
  addTasks(host, { pid: 500, name: 'qemu', cgroup: 'machine/qemu-1-b.libvirt-qemu' });
  host.write(`${ROOT}/machine/cgroup.subtree_control`, '+cpuset');
  await guests.release('a');
  assert.deepEqual(state(host), ['0-7', '0-7', 'member']);
  assert.match(guests.notes.join(), /machine is in use by now/);
});

test('partition fails where the kernel only pretends to make one', async () => {
  const host = machine();
  host.write(`${ROOT}/cgroup.subtree_control`, '+cpuset');
  host.write(`${ROOT}/svc/cpuset.cpus`, '3-4');
  const guests = new Guests(host);
  await assert.rejects(
    guests.prepare('a', partition('4-7')),
    /it is "root invalid \(Cpu list in cpuset\.cpus not exclusive\)", must be "root"/,
  );
  await guests.release('a');
  assert.deepEqual(state(host), ['0-7', undefined, undefined]);
});

test('partition mends one that has become invalid, on kernels where that takes two writes too', async () => {
  const host = machine(true);
  host.write(`${ROOT}/cgroup.subtree_control`, '+cpuset');
  host.makeFolder(`${ROOT}/machine`, 0o755);
  host.write(`${ROOT}/machine/cpuset.cpus.partition`, 'root');
  assert.equal(state(host)[2], 'root invalid (cpuset.cpus is empty)');
  await new Guests(host).prepare('a', partition('4-7'));
  assert.deepEqual(state(host), ['0-3', '4-7', 'root']);
});

test('partition leaves alone what somebody else has set since', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', partition('4-7'));
  host.write(`${ROOT}/machine/cpuset.cpus`, '2-7');
  assert.deepEqual(guests.drift('a'), []);
  await guests.release('a');
  assert.deepEqual(state(host), ['0-1', '2-7', 'root']);
  assert.match(guests.notes.join(), /changed by somebody else/);
});

test('partition tells when a sibling has broken it', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', partition('4-7'));
  host.write(`${ROOT}/svc/cpuset.cpus`, '3-4');
  assert.match(guests.drift('a').join(), /machine is "root invalid/);
});
