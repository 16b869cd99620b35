import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../lib/words/step.ts';
import { addClassDevice, openNode } from '../../fake/device-model.ts';
import { driverStep, planOf, prepare, release, wholeMachine } from '../../fake/whole-machine.ts';

const GPU = '0000:04:00.0';

/** A card with a program that has it open for some time. */
async function takeWhileHeld(forMs: number): Promise<string | null> {
  const host = wholeMachine();
  const folder = host.realPath(`/sys/bus/pci/devices/${GPU}`);
  addClassDevice(host, 'drm', `${folder}/drm/card0`, { rdev: '226:0', devname: 'dri/card0' });
  const pid = openNode(host, 'wireplumber', '/dev/dri/card0');
  const sleep = host.sleep.bind(host);
  const until = host.clock + forMs;
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.clock >= until) host.endProcess(pid);
  };
  await prepare(host, planOf('one', [driverStep(GPU, 'vfio-pci')]));
  return host.linkName(`/sys/bus/pci/devices/${GPU}/driver`);
}

test('an unbind waits longer than what a session leaves behind lives, and not for ever', async () => {
  // UserStopDelaySec= of logind.conf(5), and the time that it takes to stop
  assert.equal(await takeWhileHeld(13_000), 'vfio-pci');
  await assert.rejects(takeWhileHeld(30_000), /it is still held by wireplumber/);
});

test('a function that is on vfio-pci since the boot gets its way to reset and is kept awake, and both are put back', async () => {
  const host = wholeMachine();
  const nic = '0000:01:00.0';
  await prepare(host, planOf('boot', [driverStep(nic, 'vfio-pci')]));
  host.drop('/run/passqemu/boot.jsonl');
  const file = (name: string) => host.peek(`/sys/bus/pci/devices/${nic}/${name}`);
  const before = [file('reset_method'), file('power/control')];
  const step = { ...driverStep(nic, 'vfio-pci'), awake: true, resetMethod: 'bus' } as Step;
  await prepare(host.restart(), planOf('one', [step]));
  assert.deepEqual([file('reset_method'), file('power/control')], ['bus\n', 'on\n']);
  await release(host.restart(), 'one');
  assert.deepEqual([file('reset_method'), file('power/control')], before);
});
