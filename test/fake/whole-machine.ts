import type { Owner } from '../../lib/apply/journal-text.ts';
import { prepareGuest } from '../../lib/apply/prepare.ts';
import { recoverAll, releaseGuest } from '../../lib/apply/release.ts';
import type { Report } from '../../lib/apply/report.ts';
import type { Plan, Step } from '../../lib/words/step.ts';
import { FakeHost } from './fake-host.ts';
import { addKnobs, addLogind, inhibitorReasons } from './knobs-model.ts';
import { addMemory } from './memory-model.ts';
import { addModule, addPciDevice, loadDriver } from './pci-model.ts';

export const STATE = '/run/passqemu';
export const SILENT: Report = { step: () => {}, note: () => {} };

/** A machine with a NIC, a graphics card with sound, an NVMe and pages; `more` adds what a test is about. */
export function wholeMachine(more: (host: FakeHost) => void = () => {}): FakeHost {
  const host = new FakeHost();
  host.put('/proc/sys/kernel/random/boot_id', 'boot-1\n');
  host.putFolder(STATE);
  addModule(host, 'vfio-pci');
  loadDriver(host, 'vfio-pci');
  const nic = { vendor: '8086', device: '10d3', class: '020000', group: 1, driver: 'e1000e' };
  addPciDevice(host, { ...nic, address: '0000:01:00.0', resetMethods: 'flr bus' });
  addPciDevice(host, { ...nic, address: '0000:02:00.0', group: 2, override: 'e1000e' });
  addPciDevice(host, {
    vendor: '10de',
    device: '2684',
    class: '030000',
    group: 3,
    address: '0000:04:00.0',
    driver: 'nouveau',
    powerControl: 'auto',
  });
  addPciDevice(host, {
    vendor: '10de',
    device: '22ba',
    class: '040300',
    group: 3,
    address: '0000:04:00.1',
    homeDrivers: [],
  });
  const pools = () => ({ 2048: { pages: 10, used: 4 } });
  addMemory(host, [
    { id: 0, cpus: '0-3', totalKib: 4 << 20, freeKib: 1 << 20, pools: pools() },
    { id: 1, cpus: '4-7', totalKib: 4 << 20, freeKib: 1 << 20, scatteredKib: 900 << 10, pools: pools() },
  ]);
  addKnobs(host);
  addLogind(host);
  // A user's command that can be told from the state: it makes and removes a mark
  host.put('/srv/mark', 'absent\n');
  host.onRun('/usr/local/bin/mark', (argv, machine) => {
    machine.put('/srv/mark', `${argv[1]}\n`);
    return {};
  });
  more(host);
  return host;
}

/** A plan of these steps. */
export function planOf(guest: string, steps: readonly Step[]): Plan {
  return { guest, uuid: `uuid-${guest}`, steps, notes: [] };
}

export function driverStep(address: string, driver: string | null): Step {
  return {
    kind: 'driver',
    address,
    driver,
    deadlineMs: 1000,
    target: address,
    from: null,
    to: driver,
  } as Step;
}

export function pagesStep(node: number, pages: number): Step {
  const step = { sizeKib: 2048, node, pages, waitMs: 500, compact: true, dropCaches: false };
  return { kind: 'hugepages', ...step, target: `node ${node}`, from: null, to: null };
}

/** One step of each kind that belongs to no device, page or CPU. */
export function hostSteps(guest: string): Step[] {
  const face = { target: 'x', from: null, to: null };
  const mark = ['/usr/local/bin/mark'];
  return [
    {
      ...face,
      kind: 'command',
      name: 'prepare-first',
      argv: [...mark, guest],
      undoArgv: [...mark, 'absent'],
      timeoutMs: 1000,
      undoTimeoutMs: 1000,
    },
    { ...face, kind: 'inhibit', token: `token of ${guest}` },
    { ...face, kind: 'module', name: 'vfio_pci' },
    { ...face, kind: 'setting', path: '/proc/sys/vm/stat_interval', value: '10', label: 'stat interval' },
    {
      ...face,
      kind: 'setting',
      path: '/sys/kernel/mm/transparent_hugepage/enabled',
      value: 'never',
      label: 'thp',
    },
  ];
}

/** Prepares as the command line does. */
export async function prepare(
  host: FakeHost,
  plan: Plan,
  owner: Owner = { kind: 'libvirt' },
  inputs = 'x',
  interrupted: () => string | null = () => null,
): Promise<string> {
  return prepareGuest(
    host,
    {
      stateDir: STATE,
      guest: plan.guest,
      uuid: plan.uuid,
      owner,
      version: '0',
      inputs,
      lockWaitMs: 10,
      plan: () => plan,
      interrupted,
    },
    SILENT,
  );
}

export async function release(
  host: FakeHost,
  guest: string,
  uuid: () => Promise<string | null> = async () => null,
  report = SILENT,
): Promise<'released' | 'nothing held'> {
  return await releaseGuest(host, { stateDir: STATE, guest, uuid, lockWaitMs: 10 }, report);
}

export async function recover(host: FakeHost): Promise<void> {
  host.clock += 200_000;
  await recoverAll(host, STATE, 10, SILENT);
}

/**
 * The machine as people see it. Left out: processes that come and go, the lock file (its text says who had it last), the story of the last hand-over, modules (never
 * unloaded by design: others may use them), and what the tests' own model keeps.
 */
export function dump(host: FakeHost): readonly string[] {
  const inhibitors = inhibitorReasons(host).map((why) => `inhibitor ${why}`);
  const files = host.tree
    .dump()
    .filter(
      (line) =>
        !/^\/(proc\/\d|run\/passqemu\/lock|var\/lib\/passqemu|sys\/module|sys\/bus\/pci\/drivers\/vfio-pci|dev\/vfio|proc\/modules)/.test(
          line,
        ),
    );
  return [...files, ...inhibitors];
}
