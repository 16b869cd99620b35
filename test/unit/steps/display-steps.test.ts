import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framebufferKind } from '../../../lib/steps/framebuffer.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import type { Step, StepOf } from '../../../lib/words/step.ts';
import {
  addConsoles,
  addFirmwareFrameBuffer,
  addModules,
  addUnits,
  type FakeUnit,
  runs,
} from '../../fake/display-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import {
  driverStep,
  dump,
  planOf,
  prepare,
  release,
  SILENT,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const face = { target: 'x', from: null, to: null };
const CGROUP = '/system.slice/gdm.service';
const MANAGER: Step = {
  ...face,
  kind: 'unit',
  unit: 'gdm.service',
  user: null,
  cgroup: CGROUP,
  restart: true,
  timeoutMs: 100,
};
const SESSION = '/user.slice/user-1000.slice/session-3.scope';
const CONSOLE: Step = {
  ...face,
  kind: 'console',
  name: '(M) frame buffer device',
  functions: [],
  deadlineMs: 100,
};
const FIRMWARE: StepOf<'framebuffer'> = {
  ...face,
  kind: 'framebuffer',
  device: 'efi-framebuffer.0',
  driver: 'efi-framebuffer',
  functions: [],
  deadlineMs: 100,
};

function withUnits(...units: readonly FakeUnit[]): FakeHost {
  return wholeMachine((host) => addUnits(host, ...units));
}

test('a display manager that refuses to stop ends the start, and is told to go on', async () => {
  const host = withUnits({ name: 'gdm.service', cgroup: CGROUP, stubborn: true });
  await assert.rejects(
    prepare(host, planOf('one', [MANAGER])),
    /Cannot stop gdm.service: it has not ended within 0.1 s/,
  );
  assert.ok(host.calls.some((call) => call.endsWith('start -- gdm.service')));
  assert.equal(runs(host, 'gdm.service'), true);
});

test('a display manager that systemd ends only after our own patience is back when the failed start is', async () => {
  const unit = { name: 'gdm.service', cgroup: CGROUP, stopMs: 90_000 };
  const host = withUnits(unit);
  await assert.rejects(prepare(host, planOf('one', [MANAGER])), {
    name: 'HostError',
    message: 'Cannot stop gdm.service: it has not ended within 0.1 s',
  });
  assert.equal(unit.stopMs, undefined);
  assert.equal(runs(host, 'gdm.service'), true);
});

test('a unit that has been started too often is told to forget that', async () => {
  const unit: FakeUnit = { name: 'gdm.service', cgroup: CGROUP };
  const host = withUnits(unit);
  await prepare(host, planOf('one', [MANAGER]));
  assert.equal(runs(host, 'gdm.service'), false);
  unit.limit = true;
  await release(host.restart(), 'one');
  assert.equal(runs(host, 'gdm.service'), true);
});

test('the sockets of an audio server are stopped and started in one call with it', async () => {
  const unit = {
    name: 'pipewire.service',
    cgroup: '/user.slice/user-1000.slice/user@1000.service/pipewire.service',
  };
  const host = withUnits(unit);
  const sockets = ['pipewire.socket', 'pipewire-pulse.socket'];
  await prepare(
    host,
    planOf('one', [{ ...MANAGER, unit: unit.name, user: 'alice', cgroup: unit.cgroup, sockets }]),
  );
  assert.equal(runs(host, unit.name), false);
  const later = host.restart();
  await release(later, 'one');
  assert.equal(runs(host, unit.name), true);
  const words = '--user --machine=alice@.host';
  const names = '-- pipewire.socket pipewire-pulse.socket pipewire.service';
  assert.ok(host.calls.some((call) => call.endsWith(`${words} stop ${names}`)));
  assert.ok(later.calls.some((call) => call.endsWith(`${words} start ${names}`)));
});

const DOCKER = { name: 'docker.service', cgroup: '/system.slice/docker.service' };
const SOCKET = { name: 'docker.socket', cgroup: '/system.slice/docker.socket', starts: DOCKER.name };
const TIMER = { ...SOCKET, name: 'docker.timer', cgroup: '/system.slice/docker.timer' };
const STOP_DOCKER: Step = { ...MANAGER, unit: DOCKER.name, cgroup: DOCKER.cgroup };

test('what would start a unit again is stopped with it and started with it, as far as it ran', async () => {
  const host = withUnits(DOCKER, SOCKET, TIMER);
  host.drop(`/sys/fs/cgroup${TIMER.cgroup}`);
  await prepare(host, planOf('one', [STOP_DOCKER]));
  assert.deepEqual([runs(host, DOCKER.name), runs(host, SOCKET.name)], [false, false]);
  const later = host.restart();
  await release(later, 'one');
  assert.deepEqual([runs(host, DOCKER.name), runs(host, SOCKET.name)], [true, true]);
  assert.equal(runs(host, TIMER.name), false);
});

test('a socket that has not come back because its service runs does so when that is restarted', async () => {
  // The socket is stopped, the service not
  const host = withUnits({ ...DOCKER, stubborn: true }, SOCKET);
  await assert.rejects(prepare(host, planOf('one', [STOP_DOCKER])), /it has not ended/);
  assert.deepEqual([runs(host, DOCKER.name), runs(host, SOCKET.name)], [true, true]);
});

test('a socket whose service somebody has started meanwhile is left and told', async () => {
  const host = withUnits(DOCKER, SOCKET);
  await prepare(host, planOf('one', [STOP_DOCKER]));
  const later = host.restart();
  host.put(`/sys/fs/cgroup${DOCKER.cgroup}/cgroup.events`, 'populated 1\n');
  host.put(`/sys/fs/cgroup${DOCKER.cgroup}/cgroup.procs`, '1\n');
  const notes: string[] = [];
  await release(later, 'one', undefined, { ...SILENT, note: (line) => notes.push(line) });
  assert.match(notes.join(' '), /docker.service runs already, so docker.socket cannot be started again/);
});

test('a container that outlives its engine ends the start', async () => {
  const container = '/system.slice/docker-0123456789ab.scope';
  const host = withUnits(DOCKER, { name: 'docker-0123456789ab.scope', cgroup: container });
  await assert.rejects(
    prepare(host, planOf('one', [{ ...STOP_DOCKER, containers: [container] }])),
    /Cannot stop docker.service: it has, but its container docker-0123456789ab.scope runs on/,
  );
  assert.equal(runs(host, DOCKER.name), true);
});

test('a unit that did not run is not started', async () => {
  const host = withUnits({ name: 'gdm.service', cgroup: CGROUP });
  host.drop(`/sys/fs/cgroup${CGROUP}`);
  await prepare(host, planOf('one', [MANAGER]));
  await release(host.restart(), 'one');
  assert.equal(runs(host, 'gdm.service'), false);
});

test('a session that survives being asked is killed', async () => {
  const host = withUnits({ name: 'session-3.scope', cgroup: SESSION, stubborn: true });
  const step: Step = { ...face, kind: 'session', id: '3', user: 'alice', cgroup: SESSION, timeoutMs: 100 };
  await prepare(host, planOf('one', [step]));
  assert.equal(runs(host, 'session-3.scope'), false);
  const asked = host.calls.filter((call) => call.startsWith('run loginctl'));
  assert.deepEqual(asked, [
    'run loginctl --no-ask-password terminate-session 3',
    'run loginctl --no-ask-password --signal=SIGKILL kill-session 3',
  ]);
});

test('a process with the number of one that has gone is left alone', async () => {
  const host = wholeMachine();
  const pid = host.spawnProcess(['nvtop']);
  const step: Step = { ...face, kind: 'process', pid, startTicks: 7, comm: 'nvtop', timeoutMs: 100 };
  await prepare(host, planOf('one', [step]));
  assert.equal(host.peek(`/proc/${pid}/comm`), 'nvtop');
});

test('a console driver that is gone when the card is back is no failure, one under another number is found', async () => {
  const host = wholeMachine(addConsoles);
  await prepare(host, planOf('one', [CONSOLE]));
  const folder = '/sys/devices/virtual/vtconsole/vtcon1';
  assert.equal(host.peek(`${folder}/bind`), '0\n');
  host.drop('/sys/class/vtconsole/vtcon1');
  const next = host.restart();
  await release(next, 'one');

  const other = wholeMachine(addConsoles);
  await prepare(other, planOf('one', [CONSOLE]));
  other.drop('/sys/class/vtconsole/vtcon1').putLink('/sys/class/vtconsole/vtcon4', folder);
  await release(other.restart(), 'one');
  assert.equal(other.peek(`${folder}/bind`), '1\n');
});

test('a frame buffer of the firmware that the kernel has deleted is no failure, and what that means is told', async () => {
  const host = wholeMachine(addFirmwareFrameBuffer);
  await prepare(host, planOf('one', [FIRMWARE]));
  host.drop('/sys/bus/platform/devices/efi-framebuffer.0');
  const notes: string[] = [];
  const note = (line: string) => void notes.push(line);
  const undo = async (functions: readonly PciAddress[]) =>
    framebufferKind.undo({ ...FIRMWARE, functions }, { bound: true }, null, {
      host,
      guest: 'one',
      others: [],
      note,
    });
  await undo([]);
  await undo(['0000:04:00.0' as PciAddress]);
  assert.deepEqual(notes, [
    'efi-framebuffer.0 is gone until the next boot: the screen stays dark till then',
    "efi-framebuffer.0 is gone until the next boot: the card's own driver has the picture now",
  ]);
  await release(host.restart(), 'one');
  assert.equal(
    host.tree.dump().some((line) => line.includes('one.jsonl')),
    false,
  );
});

test('a frame buffer of the firmware that somebody keeps open ends the start, for VFIO could not have the memory', async () => {
  const host = wholeMachine(addFirmwareFrameBuffer);
  const functions = ['0000:04:00.0' as PciAddress];
  host.put('/proc/iomem', 'c0000000-febfffff : 0000:04:00.0\n  c0000000-c02fffff : efifb\n');
  const start = prepare(host, planOf('one', [{ ...FIRMWARE, functions }]));
  await assert.rejects(start, /Cannot free the memory that efi-framebuffer.0 has/);
  assert.notEqual(host.peekLink('/sys/bus/platform/devices/efi-framebuffer.0/driver'), null);
  // What the device itself claims goes with it, when vfio-pci comes
  host.put('/proc/iomem', 'c0000000-febfffff : 0000:04:00.0\n  c0000000-c02fffff : BOOTFB\n');
  await prepare(host.restart(), planOf('one', [{ ...FIRMWARE, functions }]));
});

test('a module that stays in use ends the start with the host as it was', async () => {
  const build = () =>
    wholeMachine((host) =>
      addModules(host, { name: 'nvidia_drm' }, { name: 'nvidia', holders: ['nvidia_drm'] }),
    );
  const host = build();
  const functions: readonly PciAddress[] = [];
  const step: Step = { ...face, kind: 'unload', name: 'nvidia', functions, timeoutMs: 100 };
  await assert.rejects(
    prepare(host, planOf('one', [step])),
    /Cannot unload the module nvidia: rmmod: ERROR: Module nvidia is in use by: nvidia_drm/,
  );
  assert.deepEqual(dump(host), dump(build()));
});

test('the timer of the watchdog is there while the guest has the display', async () => {
  const host = withUnits();
  const unit = 'passqemu-watchdog-one';
  const step: Step = { ...face, kind: 'watchdog', unit, argv: ['true'], afterSeconds: 130 };
  await prepare(host, planOf('one', [step]));
  assert.equal(host.peek(`/run/systemd/transient/${unit}.timer`), '[Timer]\n');
  // systemd may be a minute late otherwise
  assert.ok(host.calls.some((call) => /systemd-run .*AccuracySec=1s/.test(call)));
  await release(host.restart(), 'one');
  assert.equal(host.peek(`/run/systemd/transient/${unit}.timer`), null);
});

/** A hand-over of a card whose VFIO group somebody has open when it shall come back. */
async function heldUp(steps: readonly Step[]) {
  const gpu = '0000:04:00.0' as PciAddress;
  const host = wholeMachine((machine) => {
    addUnits(machine, { name: 'gdm.service', cgroup: CGROUP });
    addModules(machine, { name: 'nvidia_drm' });
  });
  await prepare(host, planOf('one', [...steps, driverStep(gpu, 'vfio-pci')]));
  host.setBusy('/dev/vfio/3');
  return host;
}

test('a display manager waits for the only card it can show itself on, and else does not', async () => {
  const functions = ['0000:04:00.0' as PciAddress];
  const host = await heldUp([{ ...MANAGER, functions }]);
  await assert.rejects(
    release(host.restart(), 'one'),
    /Cannot start gdm.service again: 0000:04:00.0 is not back yet/,
  );
  assert.equal(runs(host, 'gdm.service'), false);
  host.setFree('/dev/vfio/3');
  await release(host.restart(), 'one');
  assert.equal(runs(host, 'gdm.service'), true);

  const other = await heldUp([MANAGER]);
  await assert.rejects(release(other.restart(), 'one'));
  assert.equal(runs(other, 'gdm.service'), true);
});

test('a display manager waits for the module that drives its only card', async () => {
  const functions = ['0000:08:00.0' as PciAddress];
  const unload: Step = { ...face, kind: 'unload', name: 'nvidia_drm', functions, timeoutMs: 100 };
  const host = await heldUp([{ ...MANAGER, functions }, unload]);
  host.onRun('modprobe', () => ({ status: 1, stderr: 'modprobe: FATAL: Module nvidia_drm not found' }));
  await assert.rejects(
    release(host.restart(), 'one'),
    /gdm.service again: the module nvidia_drm is not back yet/,
  );
});

test('the timer of the watchdog is started anew while the display is not back, a few times', async () => {
  const unit = 'passqemu-watchdog-one';
  const timer = `/run/systemd/transient/${unit}.timer`;
  const step: Step = { ...face, kind: 'watchdog', unit, argv: ['true'], afterSeconds: 130 };
  const host = await heldUp([step]);
  for (const left of [true, true, true, false]) {
    // It has gone off while the guest had the display, or just now
    host.drop(timer);
    await assert.rejects(
      release(host.restart(), 'one'),
      left ? /it stays until all is back, and tries again/ : /open/,
    );
    assert.equal(host.peek(timer) !== null, left);
  }
  host.setFree('/dev/vfio/3');
  await release(host.restart(), 'one');
});
