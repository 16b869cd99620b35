import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState } from '../../../lib/apply/journal.ts';
import { recoverAll } from '../../../lib/apply/release.ts';
import { driverStep, dump, planOf, prepare, SILENT, STATE, wholeMachine } from '../../fake/whole-machine.ts';

const PLAN = planOf('win', [driverStep('0000:01:00.0', 'vfio-pci')]);

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
