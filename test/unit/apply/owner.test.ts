import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState } from '../../../lib/apply/journal.ts';
import type { Owner } from '../../../lib/apply/journal-text.ts';
import { recoverAll } from '../../../lib/apply/release.ts';
import { addUnits } from '../../fake/display-model.ts';
import {
  driverStep,
  dump,
  hostSteps,
  planOf,
  prepare,
  SILENT,
  STATE,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const PLAN = planOf('win', [driverStep('0000:01:00.0', 'vfio-pci')]);

const SLOW = hostSteps('win')[0]!;

/** Prepared for a daemon that is still waiting for its QEMU. */
async function starting() {
  const host = wholeMachine();
  const before = dump(host);
  const pid = host.spawnProcess(['/usr/sbin/libvirtd']);
  await prepare(host, PLAN, { kind: 'libvirt', daemon: { pid, startTicks: pid * 10 } });
  return { host, before, pid };
}

test('recoverAll() leaves a guest alone that its daemon may still be starting', async () => {
  const { host } = await starting();
  const { kept } = await recoverAll(host.restart(), STATE, 10, SILENT);
  assert.match(kept[0]!.why, /libvirt may still be starting it/);
});

test('recoverAll() gives back at once what a daemon prepared that died before its QEMU came', async () => {
  const { host, before, pid } = await starting();
  host.endProcess(pid);
  // The next daemon knows nothing of it
  host.spawnProcess(['/usr/sbin/libvirtd']);
  const after = host.restart();
  assert.deepEqual((await recoverAll(after, STATE, 10, SILENT)).released, ['win']);
  assert.deepEqual(dump(after), before);
});

test('recoverAll() leaves a guest alone whose QEMU runs on without its daemon', async () => {
  const { host, pid } = await starting();
  host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=win']);
  host.endProcess(pid);
  const after = host.restart();
  await recoverAll(after, STATE, 10, SILENT);
  assert.equal(readState(after, STATE).journals.length, 1);
});

test('recoverAll() counts the time that libvirt has from the end of the prepare, or of the adoption', async () => {
  const host = wholeMachine();
  const pid = host.spawnProcess(['/usr/sbin/libvirtd']);
  const owner = { kind: 'libvirt', daemon: { pid, startTicks: pid * 10 } } as const;
  const slow: typeof PLAN = { ...PLAN, steps: [...PLAN.steps, SLOW] };
  host.onRun('/usr/local/bin/mark', (_argv, machine) => {
    machine.clock += 300_000;
    return {};
  });
  await prepare(host, slow, owner);
  const later = host.restart();
  assert.equal((await recoverAll(later, STATE, 10, SILENT)).kept.length, 1);
  later.clock += 121_000;
  assert.deepEqual((await recoverAll(later.restart(), STATE, 10, SILENT)).released, ['win']);

  const adopted = wholeMachine();
  await prepare(adopted, PLAN, { kind: 'person' });
  adopted.clock += 300_000;
  assert.equal(await prepare(adopted.restart(), PLAN, { kind: 'libvirt' }), 'adopted');
  assert.equal((await recoverAll(adopted.restart(), STATE, 10, SILENT)).kept.length, 1);
});

test('recoverAll() starts the timer of a guest anew whose QEMU is still to come, and of no other', async () => {
  const unit = 'passqemu-watchdog-win';
  const timer = `/run/systemd/transient/${unit}.timer`;
  const face = { target: 'x', from: null, to: null };
  const watched = {
    ...PLAN,
    steps: [{ ...face, kind: 'watchdog', unit, argv: ['x'], afterSeconds: 9 } as const],
  };
  const build = async (owner: Owner) => {
    const host = wholeMachine((machine) => addUnits(machine));
    await prepare(host, watched, owner);
    // It has gone off
    host.drop(timer);
    return host.restart();
  };
  const starting = await build({ kind: 'libvirt' });
  await recoverAll(starting, STATE, 10, SILENT);
  assert.notEqual(starting.peek(timer), null);

  const running = await build({ kind: 'libvirt' });
  running.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', 'guest=win']);
  await recoverAll(running, STATE, 10, SILENT);
  assert.equal(running.peek(timer), null);

  const byHand = await build({ kind: 'person' });
  await recoverAll(byHand, STATE, 10, SILENT);
  assert.equal(byHand.peek(timer), null);
  assert.equal(await prepare(byHand.restart(), watched, { kind: 'libvirt' }), 'adopted');
  assert.notEqual(byHand.peek(timer), null);
});
