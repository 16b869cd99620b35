import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SYSTEMD_SOCKET } from '../../../lib/host/systemd-bus.ts';
import type { Step } from '../../../lib/words/step.ts';
import { cpuMachine, dumpCpus } from '../../fake/cpu-machine.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';
import { allowedCpus, busMessage, dropInText, setByAdmin } from '../../fake/systemd-model.ts';

const DROP_IN = '/run/systemd/system.control/system.slice.d/50-AllowedCPUs.conf';
const CGROUP = '/sys/fs/cgroup/system.slice';

function machine(): FakeHost {
  return cpuMachine({ systemd: true, forgets: false });
}

function slice(guestCpus: string, unit = 'system.slice'): Step {
  return { kind: 'slice', unit, guestCpus, target: unit, from: null, to: null };
}

function effective(host: FakeHost): string {
  return host.peek(`${CGROUP}/cpuset.cpus.effective`)?.trim() ?? 'no cpuset';
}

test('slice narrows a unit and gives everything back, drop-in and controller too', async () => {
  const host = machine();
  const before = dumpCpus(host);
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  assert.deepEqual([effective(host), allowedCpus(host, 'system.slice')], ['0-3', '0-3']);
  assert.deepEqual(guests.memory('a'), { allowed: '', effective: '0-7', online: '0-7', dropIn: null });
  await guests.release('a');
  assert.deepEqual(dumpCpus(host), before);
  assert.deepEqual(guests.notes, []);
});

for (const [first, second, between] of [
  ['a', 'b', '0-5'],
  ['b', 'a', '0-3,6-7'],
] as const) {
  test(`slice of two guests, ${first} released first`, async () => {
    const host = machine();
    const before = dumpCpus(host);
    const guests = new Guests(host);
    await guests.prepare('a', slice('4-5'));
    await guests.prepare('b', slice('6-7'));
    assert.equal(effective(host), '0-3');
    await guests.release(first);
    assert.deepEqual([effective(host), allowedCpus(host, 'system.slice')], [between, between]);
    await guests.release(second);
    assert.deepEqual(dumpCpus(host), before);
    assert.deepEqual(guests.notes, []);
  });
}

test('slice widens a cgroup that the kernel lets nobody empty', async () => {
  const host = machine();
  // Somebody else needs the controller, so that it does not go away with our setting
  setByAdmin(host, 'machine.slice', '0-7');
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  await guests.release('a');
  assert.deepEqual(
    [effective(host), allowedCpus(host, 'system.slice'), host.peek(DROP_IN)],
    ['0-7', '', null],
  );
  assert.equal(host.peek(`${CGROUP}/cpuset.cpus`), '0-7\n');
});

test('slice gives CPUs that came online in the meantime to a unit that had all', async () => {
  const host = machine();
  host.put('/sys/devices/system/cpu/online', '0-6\n');
  setByAdmin(host, 'machine.slice', '0-6');
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-5'));
  host.put('/sys/devices/system/cpu/online', '0-7\n');
  await guests.release('a');
  assert.equal(host.peek(`${CGROUP}/cpuset.cpus`), '0-7\n');
});

test('slice goes back to an admin’s own setting, to the byte of the drop-in', async () => {
  const host = machine();
  setByAdmin(host, 'system.slice', '0-5');
  const text = `${dropInText('Slice', '0-5')}\n\n# a remark\n`;
  host.put(DROP_IN, text);
  const before = dumpCpus(host);
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  assert.equal(effective(host), '0-3');
  await guests.release('a');
  assert.deepEqual(dumpCpus(host), before);
  assert.equal(host.peek(DROP_IN), text);
});

test('slice does nothing where an admin keeps the unit off the CPUs already', async () => {
  const host = machine();
  setByAdmin(host, 'system.slice', '0-3');
  const before = dumpCpus(host);
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  assert.deepEqual(dumpCpus(host), before);
  await guests.release('a');
  assert.deepEqual(dumpCpus(host), before);
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('run ')),
    [],
  );
});

test('slice leaves alone what an admin has set while the guest ran', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  setByAdmin(host, 'system.slice', '0-1');
  const between = dumpCpus(host);
  await guests.release('a');
  assert.deepEqual(dumpCpus(host), between);
  assert.match(guests.notes.join(), /system\.slice has been changed by somebody else/);
});

test('slice takes only its own drop-in away where an admin has made a persistent setting', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  host.put('/etc/systemd/system.control/system.slice.d/50-AllowedCPUs.conf', dropInText('Slice', '0-1'));
  host.write(`${CGROUP}/cpuset.cpus`, '0-1');
  await guests.release('a');
  assert.deepEqual([effective(host), host.peek(DROP_IN)], ['0-1', null]);
});

test('slice takes an admin’s setting made between two guests for the base of the second', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('6-7'));
  setByAdmin(host, 'system.slice', '0-1,4');
  await guests.prepare('b', slice('4'));
  assert.equal(effective(host), '0-1');
  await guests.release('a');
  assert.equal(effective(host), '0-1');
  await guests.release('b');
  assert.deepEqual([effective(host), allowedCpus(host, 'system.slice')], ['0-1,4', '0-1,4']);
});

for (const way of ['its socket', 'systemctl']) {
  test(`slice tells what systemd answers by ${way}`, async () => {
    const host = machine().onRun('systemctl', () => ({ status: 1, stderr: 'Access denied\nmore' }));
    host.onExchange(
      SYSTEMD_SOCKET,
      way === 'systemctl' ? rejecting : answering(busMessage(3, 1, 'Access denied\nmore')),
    );
    await assert.rejects(new Guests(host).prepare('a', slice('4-7')), {
      message: 'Cannot set AllowedCPUs=0-3 of system.slice: Access denied',
    });
    assert.equal(host.calls.filter((call) => call.startsWith('run ')).length, way === 'systemctl' ? 1 : 0);
  });
}

test('slice narrows and widens by systemctl where systemd has no socket', async () => {
  const host = machine().onExchange(SYSTEMD_SOCKET, rejecting);
  const before = dumpCpus(host);
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  assert.equal(effective(host), '0-3');
  await guests.release('a');
  assert.deepEqual(dumpCpus(host), before);
});

test('slice starts no process where systemd can be asked by its socket', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  await guests.release('a');
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('run ')),
    [],
  );
});

test('slice does not try another way where systemd does not answer', async () => {
  const host = machine().onExchange(SYSTEMD_SOCKET, answering(Buffer.alloc(0)));
  await assert.rejects(new Guests(host).prepare('a', slice('4-7')), {
    message: 'Cannot set AllowedCPUs=0-3 of system.slice: systemd has not answered for 25000 ms',
  });
  assert.equal(allowedCpus(host, 'system.slice'), '');
});

test('slice fails when systemd says yes and does nothing', async () => {
  const idle = machine().onExchange(SYSTEMD_SOCKET, answering(busMessage(2, 1, '')));
  await assert.rejects(new Guests(idle).prepare('a', slice('4-7')), {
    message: 'Cannot keep system.slice off CPUs 4-7: it has no cpuset, must be 0-3',
  });
  await assert.rejects(new Guests(machine()).prepare('a', slice('0-7')), /it has only 0-7, must keep one/);
});

test('slice is content with a unit that does not run', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7', 'absent.slice'));
  assert.equal(allowedCpus(host, 'absent.slice'), '0-3');
  await guests.release('a');
  assert.equal(allowedCpus(host, 'absent.slice'), '');
});

test('slice waits for the systemctl that a killed process has left behind before it looks', async () => {
  const host = machine();
  const before = dumpCpus(host);
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  guests.forgetOutcome('a');
  const call = ['systemctl', 'set-property', '--runtime', '--', 'user.slice', 'AllowedCPUs=0-3'];
  const late = host.spawnProcess(call);
  const until = host.clock + 500;
  const sleep = host.sleep.bind(host);
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.clock >= until) host.endProcess(late);
  };
  await guests.release('a');
  assert.ok(host.clock >= until);
  assert.deepEqual(dumpCpus(host), before);
});

test('slice gives up on a systemctl that does not end', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  guests.forgetOutcome('a');
  const late = host.spawnProcess([
    '/usr/bin/systemctl',
    'set-property',
    '--runtime',
    '--',
    'user.slice',
    'AllowedCPUs=',
  ]);
  await assert.rejects(
    guests.release('a'),
    new RegExp(`systemctl of an earlier run \\(process ${late}\\) has not ended`),
  );
});

test('slice tells when its work has been undone by others', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', slice('4-7'));
  assert.deepEqual(guests.drift('a'), []);
  host.write(`${CGROUP}/cpuset.cpus`, '0-5');
  assert.deepEqual(guests.drift('a'), ['system.slice may use CPUs 4-5 again']);
});

/** A systemd that lets nobody in by its socket. */
const rejecting = () => () => Buffer.from('REJECTED\r\n');
/** A systemd that has this answer for everything. */
const answering = (answer: Buffer) => () => (said: Buffer) =>
  said.includes('AUTH') ? Buffer.from('OK 0\r\n') : answer;
