import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState } from '../../../lib/apply/journal.ts';
import { RefusedError, ReleaseError } from '../../../lib/words/errors.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { driverOf } from '../../fake/pci-model.ts';
import {
  driverStep,
  dump,
  hostSteps,
  pagesStep,
  planOf,
  prepare,
  recover,
  release,
  STATE,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const NIC = '0000:01:00.0';
const PLAN = planOf('win', [...hostSteps('win'), pagesStep(0, 20), driverStep(NIC, 'vfio-pci')]);
const UNBIND = `/sys/bus/pci/devices/${NIC}/driver/unbind`;
const names = (host: FakeHost) => readState(host, STATE).journals.map(({ header }) => header.guest);

test('prepareGuest() adopts what was prepared by hand for the same inputs', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN, { kind: 'person' });
  const held = dump(host);
  assert.equal(await prepare(host.restart(), PLAN, { kind: 'libvirt' }), 'adopted');
  assert.equal(readState(host.restart(), STATE).journals[0]!.owner.kind, 'libvirt');
  const changed = (lines: readonly string[]) => lines.filter((line) => !line.includes('/run/passqemu/'));
  assert.deepEqual(changed(dump(host)), changed(held));
});

test('prepareGuest() prepares anew when the inputs are others, or something has drifted', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN, { kind: 'person' }, 'old');
  assert.equal(await prepare(host.restart(), PLAN, { kind: 'libvirt' }, 'new'), 'prepared');

  const other = wholeMachine();
  await prepare(other, PLAN, { kind: 'person' });
  other.put('/proc/sys/vm/stat_interval', '99\n');
  assert.equal(await prepare(other.restart(), PLAN, { kind: 'libvirt' }), 'prepared');
});

test('prepareGuest() gives back first what an earlier start of the same guest left', async () => {
  const host = wholeMachine();
  const before = dump(host);
  await prepare(host, PLAN);
  await prepare(host.restart(), PLAN);
  await release(host.restart(), 'win');
  assert.deepEqual(dump(host), before);
});

test('prepareGuest() refuses while the guest still runs on what it holds, and touches nothing', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=win,debug-threads=on']);
  const held = dump(host);
  await assert.rejects(
    prepare(host.restart(), PLAN),
    (error) => error instanceof RefusedError && /its QEMU \d+ runs/.test(error.message),
  );
  assert.deepEqual(dump(host), held);
});

test('prepareGuest() refuses under an unreadable journal and names it', async () => {
  const host = wholeMachine();
  host.put(
    `${STATE}/other.jsonl`,
    '{"passqemu":1,"guest":"other","bootId":"boot-1"}\nrubbish\n{"t":"ready"}\n',
  );
  const before = dump(host);
  await assert.rejects(prepare(host, PLAN), /other\.jsonl cannot be read/);
  assert.deepEqual(dump(host), before);
});

test('release and prepare drop journals of another boot: nothing of them is in force', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  host.put('/proc/sys/kernel/random/boot_id', 'boot-2\n');
  const calls = host.restart();
  await release(calls, 'win');
  assert.deepEqual(names(host.restart()), []);
  assert.equal(driverOf(host, NIC), 'vfio-pci', 'it wrote nothing to the device');
});

test('recover leaves guests alone that run, that a person prepared, and that libvirt has just prepared', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN, { kind: 'person' });
  await recover(host.restart());
  assert.deepEqual(names(host.restart()), ['win']);
  const young = wholeMachine();
  await prepare(young, PLAN);
  young.clock -= 190_000;
  await recover(young.restart());
  assert.deepEqual(names(young.restart()), ['win']);
  young.clock += 200_000;
  await recover(young.restart());
  assert.deepEqual(names(young.restart()), []);
});

test('a write that the kernel does not answer fails the prepare, keeps that device in the journal and gives the rest back', async () => {
  const host = wholeMachine();
  host.setStuck(`/sys/bus/pci/devices/${NIC}/driver_override`);
  await assert.rejects(
    prepare(host, PLAN),
    (error) => error instanceof ReleaseError && error.exitCode === 3 && error.left.length === 1,
  );
  const journal = readState(host.restart(), STATE).journals[0]!;
  assert.deepEqual(
    journal.entries.filter(({ undone }) => !undone).map(({ step }) => step.kind),
    ['driver'],
  );
  assert.ok(journal.entries.at(-1)!.wedged !== undefined);
  assert.equal(host.peek('/proc/sys/vm/stat_interval'), '1\n');
});

test('an unbind is not begun while a process has the device open, and the process is named', async () => {
  const host = wholeMachine();
  host.put('/sys/class/drm/card0/dev', '226:0\n');
  const pid = host.spawnProcess(['/usr/bin/Xorg']);
  const card = '/sys/devices/pci0000:04/0000:04:00.0';
  host.put(`${card}/drm/card0/uevent`, 'MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n');
  host.put(`${card}/drm/card0/dev`, '226:0\n');
  host.putLink('/sys/class/drm/card0', `${card}/drm/card0`);
  host.putDevice('/dev/dri/card0', 'character', '226:0');
  host.putLink(`/proc/${pid}/fd/9`, '/dev/dri/card0');
  host.put(`/proc/${pid}/cgroup`, '0::/system.slice/gdm.service\n');
  const plan = planOf('win', [driverStep('0000:04:00.0', 'vfio-pci')]);
  await assert.rejects(
    prepare(host, plan),
    /still held by Xorg \(\d+ of gdm\.service\) by \/dev\/dri\/card0/,
  );
  assert.equal(driverOf(host, '0000:04:00.0'), 'nouveau');
  assert.ok(!host.calls.some((call) => call.startsWith('writeSlowly')));
});

test('releaseGuest() waits for an open VFIO group and leaves a mark: what a person has prepared may run under any name', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN, { kind: 'person' });
  host.putDevice('/dev/vfio/1', 'character', '511:0').setBusy('/dev/vfio/1');
  const before = host.calls.filter((call) => call.includes(UNBIND)).length;
  await assert.rejects(release(host.restart(), 'win'), /VFIO group 1 is open/);
  assert.equal(host.calls.filter((call) => call.includes(UNBIND)).length, before);
  assert.equal(readState(host.restart(), STATE).journals[0]!.pending, 'its devices were still open');
});

test('undo leaves a function that somebody else has bound since, and says so', async () => {
  const host = wholeMachine();
  await prepare(host, PLAN);
  host.put(`/sys/bus/pci/devices/${NIC}/driver_override`, 'pci-stub\n');
  await release(host.restart(), 'win');
  assert.deepEqual(names(host.restart()), []);
  assert.equal(driverOf(host, NIC), 'vfio-pci');
});

test('a fault of our own in the middle of a prepare is undone like any other failure', async () => {
  const host = wholeMachine();
  const before = dump(host);
  host.onRun('/usr/local/bin/mark', (argv, machine) => {
    machine.put('/srv/mark', `${argv[1]}\n`);
    return {};
  });
  const plan = planOf('win', [
    ...PLAN.steps,
    { ...driverStep(NIC, 'vfio-pci'), kind: 'no such kind' } as never,
  ]);
  await assert.rejects(prepare(host, plan), TypeError);
  assert.deepEqual(dump(host), before);
});

test('a signal during the last step undoes everything too', async () => {
  const host = wholeMachine();
  const before = dump(host);
  let signal: string | null = null;
  host.onRun('/usr/local/bin/mark', (argv, machine) => {
    machine.put('/srv/mark', `${argv[1]}\n`);
    signal = 'SIGTERM';
    return {};
  });
  const [command, ...rest] = hostSteps('win');
  const stopped = prepare(host, planOf('win', [...rest, command!]), { kind: 'libvirt' }, 'x', () => signal);
  await assert.rejects(stopped, /SIGTERM was received/);
  assert.deepEqual(dump(host), before);
});

const NIC_TAKEN = planOf('win', [...hostSteps('win'), pagesStep(0, 20), driverStep(NIC, 'vfio-pci')]);

test('releaseGuest() gives back all else where a device that was detached while the guest ran is in use elsewhere', async () => {
  const host = wholeMachine();
  const before = dump(host);
  await prepare(host, NIC_TAKEN);
  host.putDevice('/dev/vfio/1', 'character', '10:1').setBusy('/dev/vfio/1');
  host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=other,debug-threads=on']);
  const held = await release(host.restart(), 'win').catch((error: unknown) => error);
  assert.ok(held instanceof ReleaseError, String(held));
  assert.equal(held.left.length, 1);
  assert.match(held.left[0]!, /give 0000:01:00\.0 back to e1000e.*still open/);
  assert.equal(driverOf(host, NIC), 'vfio-pci');
  const others = (lines: readonly string[]) =>
    lines.filter((line) => !/0000:01:00|e1000e|run\/passqemu|vfio/.test(line));
  assert.deepEqual(others(dump(host)), others(before));
  assert.equal(readState(host.restart(), STATE).journals[0]!.pending !== null, true);
});

test("releaseGuest() touches nothing while the guest's own QEMU, or one that a person runs, has its devices open", async () => {
  for (const owner of ['libvirt', 'person'] as const) {
    const host = wholeMachine();
    await prepare(host, NIC_TAKEN, { kind: owner });
    host.putDevice('/dev/vfio/1', 'character', '10:1').setBusy('/dev/vfio/1');
    const name = owner === 'libvirt' ? 'guest=win,debug-threads=on' : 'guest=else';
    host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', name]);
    const held = dump(host);
    await assert.rejects(release(host.restart(), 'win'), RefusedError);
    const changed = (lines: readonly string[]) => lines.filter((line) => !line.includes('/run/passqemu/'));
    assert.deepEqual(changed(dump(host)), changed(held));
  }
});
