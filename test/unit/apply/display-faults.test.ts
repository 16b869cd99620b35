import { test } from 'node:test';
import { HostError } from '../../../lib/words/errors.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import type { Step } from '../../../lib/words/step.ts';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
import { addConsoles, addFirmwareFrameBuffer, addModules, addUnits } from '../../fake/display-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { addPciDevice } from '../../fake/pci-model.ts';
import {
  driverStep,
  dump,
  planOf,
  prepare,
  recover,
  release,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const GPU = '0000:08:00.0' as PciAddress;
const face = { target: 'x', from: null, to: null };
const SESSION = '/user.slice/user-1000.slice/session-3.scope';
const MANAGER = '/system.slice/gdm.service';

/** A desktop on NVIDIA's driver: a display manager, somebody logged in, a program of theirs, consoles, the firmware's picture. */
function desktop(): FakeHost {
  return wholeMachine((host) => {
    host.putDevice('/dev/dri/card0', 'character', '226:0');
    addUnits(
      host,
      { name: 'gdm.service', cgroup: MANAGER, node: '/dev/dri/card0' },
      { name: 'gdm.socket', cgroup: '/system.slice/gdm.socket', starts: 'gdm.service' },
      { name: 'session-3.scope', cgroup: SESSION, node: '/dev/dri/card0' },
    );
    addConsoles(host);
    addFirmwareFrameBuffer(host);
    addPciDevice(host, {
      address: GPU,
      vendor: '10de',
      device: '2684',
      class: '030000',
      group: 8,
      homeDrivers: ['nvidia'],
      bars: [{ index: 0, sizeBytes: 16 << 20, resizable: true }],
    });
    addResize(host);
    addModules(
      host,
      { name: 'nvidia_drm' },
      { name: 'nvidia_modeset', holders: ['nvidia_drm'] },
      { name: 'nvidia', holders: ['nvidia_modeset'], parameters: { modeset: '1' }, drives: [GPU] },
    );
    host.put('/sys/module/nvidia/parameters/modeset', '0\n', 0o444);
    host.spawnProcess(['nvtop']);
  });
}

/** The kernel resizes a BAR only while no driver has the function. */
function addResize(host: FakeHost): void {
  const folder = `/sys/devices/pci0000:08/${GPU}`;
  host.onWrite(`${folder}/resource0_resize`, (path, text, machine) => {
    if (machine.peekLink(`${folder}/driver`) !== null)
      throw new HostError(`Cannot write ${path}: EBUSY`, { code: 'EBUSY', path });
    const [first = '', ...rest] = (machine.peek(`${folder}/resource`) ?? '').split('\n');
    const [start = '0', , flags] = first.split(' ');
    const end = BigInt(start) + (1n << BigInt(Number(text) + 20)) - 1n;
    const line = `${start} 0x${end.toString(16).padStart(16, '0')} ${flags}`;
    machine.put(`${folder}/resource`, [line, ...rest].join('\n'));
  });
}

function steps(host: FakeHost): Step[] {
  const proc = host.tree.get('/proc');
  const pid = Number(
    [...(proc?.kind === 'folder' ? proc.children.keys() : [])].find(
      (name) => host.peek(`/proc/${name}/comm`) === 'nvtop',
    ) ?? 0,
  );
  const unload = (name: string, functions: readonly PciAddress[] = []): Step => ({
    ...face,
    kind: 'unload',
    name,
    functions,
    timeoutMs: 100,
  });
  return [
    { ...face, kind: 'watchdog', unit: 'passqemu-watchdog-one', argv: ['recover'], afterSeconds: 130 },
    { ...face, kind: 'session', id: '3', user: 'alice', cgroup: SESSION, timeoutMs: 100 },
    {
      ...face,
      kind: 'unit',
      unit: 'gdm.service',
      user: null,
      cgroup: MANAGER,
      restart: true,
      timeoutMs: 100,
    },
    { ...face, kind: 'process', pid, startTicks: pid * 10, comm: 'nvtop', timeoutMs: 100 },
    { ...face, kind: 'console', name: '(M) frame buffer device', functions: [GPU], deadlineMs: 100 },
    {
      ...face,
      kind: 'framebuffer',
      device: 'efi-framebuffer.0',
      driver: 'efi-framebuffer',
      functions: [GPU],
      deadlineMs: 100,
    },
    unload('nvidia_drm'),
    unload('nvidia_modeset'),
    unload('nvidia', [GPU]),
    { ...driverStep(GPU, 'vfio-pci'), awake: true, resetMethod: 'pm', barSizes: { 0: 256 } } as Step,
  ];
}

/** The session stays ended by design: all else must be as before. Modules count here, for these are unloaded. */
function dumpDisplay(host: FakeHost): readonly string[] {
  const modules = host.tree.dump().filter((line) => line.startsWith('/sys/module/nvidia'));
  return [...dump(host).filter((line) => !line.includes('session-3.scope')), ...modules];
}

const PREPARE: Case = {
  name: 'hand-over',
  build: desktop,
  act: async (host) => void (await prepare(host, planOf('one', steps(host)))),
  mend: async (host) => {
    await release(host, 'one');
    await release(host.restart(), 'one');
  },
  dump: dumpDisplay,
};
const CODES = ['EIO', 'ENODEV', 'EBUSY'];
const CHANGES = /^(?:write|writeSlowly|signal|run|startWriter|overwrite|createFile) /;

test('a hand-over that is killed at any call is undone by release in a new process', async () => {
  await dieEverywhere(PREPARE);
});

test('a hand-over that is killed at any call is undone by recover in a new process', async () => {
  await dieEverywhere({ ...PREPARE, name: 'hand-over, then recover', mend: recover });
});

test('a hand-over in which any call fails leaves the host as it was, at the latest after release', async () => {
  await failEverywhere(PREPARE, CODES, CHANGES);
  await failEverywhere(PREPARE, ['EIO']);
});

const RELEASE: Case = {
  ...PREPARE,
  name: 'taking back',
  build: async () => {
    const host = desktop();
    await prepare(host, planOf('one', steps(host)));
    return host.restart();
  },
  act: (host) => release(host, 'one'),
  expected: () => dumpDisplay(desktop()),
};

test('taking the display back, killed at any call, is finished by release in a new process', async () => {
  await dieEverywhere(RELEASE);
});

test('taking the display back, with any call failing, is finished by the next release', async () => {
  await failEverywhere(RELEASE, CODES, CHANGES);
  await failEverywhere(RELEASE, ['EIO']);
});

test('two guests that stopped the same display manager: the last one out starts it, whoever dies where', async () => {
  const manager = steps(desktop()).find(({ kind }) => kind === 'unit')!;
  await dieEverywhere({
    ...PREPARE,
    name: 'two guests',
    build: async () => {
      let host = desktop();
      for (const guest of ['one', 'two']) {
        await prepare(host, planOf(guest, [manager]));
        host = host.restart();
      }
      return host;
    },
    act: (host) => release(host, 'one'),
    mend: async (host) => {
      await release(host, 'two');
      await release(host.restart(), 'one');
    },
    expected: () => dumpDisplay(desktop()),
  });
});
