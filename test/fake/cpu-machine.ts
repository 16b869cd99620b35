import { readCpuPicture } from '../../lib/host/cpu-picture.ts';
import type { Profile } from '../../lib/inputs/profile.ts';
import { planCpus } from '../../lib/plan/cpus.ts';
import type { PlanPart } from '../../lib/plan/part.ts';
import type { HeldStep } from '../../lib/words/step.ts';
import {
  addCgroups,
  addCpus,
  addIrqs,
  addPolicies,
  addSystemd,
  addTasks,
  addWorkqueues,
  type FakeTask,
  listOf,
} from './cpu-model.ts';
import { FakeHost } from './fake-host.ts';
import { allowedCpus } from './systemd-model.ts';

export interface CpuMachine {
  readonly systemd: boolean;
  /** A kernel before 6.2, which loses affinities. */
  readonly forgets: boolean;
}

const UNITS = ['system.slice', 'user.slice', 'init.scope'];
const SLICES = [...UNITS, 'machine.slice', 'system.slice/ssh.service', 'user.slice/user-1000.slice'];

/** Eight CPUs with everything that the CPU steps touch: cgroups, tasks, interrupts, workqueues and frequency scaling. */
export function addCpuMachine(host: FakeHost, { systemd, forgets }: CpuMachine): FakeHost {
  addCpus(host, { online: '0-7', release: forgets ? '6.1.0-56-amd64' : '6.12.95-amd64' });
  addCgroups(host, systemd ? SLICES : ['svc'], { forgets, subtree: systemd ? 'memory pids' : '' });
  if (systemd) addSystemd(host);
  addTasks(host, ...(systemd ? systemdTasks() : plainTasks()));
  addIrqs(host, [
    { irq: 0, actions: ['timer'], affinity: '0', managed: 'EIO' },
    { irq: 9, actions: ['acpi'], affinity: '0-7' },
    { irq: 16, actions: ['i801_smbus', 'uhci_hcd:usb1'], affinity: '0-7' },
    { irq: 24, actions: ['nvme0q0'], affinity: '0-7' },
    { irq: 25, actions: ['nvme0q1'], affinity: '4-5', managed: forgets ? 'EIO' : 'EPERM' },
    { irq: 26, actions: ['xhci_hcd'], affinity: '6' },
    { irq: 27, affinity: '0-7' },
    { irq: 28, actions: ['eth0'], affinity: '0-3' },
  ]);
  addWorkqueues(host, 'ff', !forgets);
  addPolicies(
    host,
    [
      { cpus: '0-1' },
      { cpus: '2-3' },
      {
        cpus: '4-5',
        driver: 'intel_pstate',
        governor: 'powersave',
        governors: 'performance powersave',
        energy: 'balance_power',
      },
      { cpus: '6-7' },
    ],
    !systemd,
  );
  return host;
}

/** The same on a machine of its own. */
export function cpuMachine(about: CpuMachine): FakeHost {
  const host = new FakeHost();
  host.put('/proc/sys/kernel/random/boot_id', 'boot-1\n');
  host.putFolder('/run/passqemu');
  return addCpuMachine(host, about);
}

/** The part of a plan that a guest with these CPUs gets on this machine. */
export function planFor(
  host: FakeHost,
  cpus: string,
  more: Partial<Profile['cpu']> = {},
  held: readonly HeldStep[] = [],
): PlanPart {
  const profile = cpuProfile(cpus, more);
  return planCpus({ profile, domain: null, picture: readCpuPicture(host, profile, null), held });
}

/** The [cpu] section of a profile. */
export function cpuProfile(cpus: string | null, more: Partial<Profile['cpu']> = {}): Profile['cpu'] {
  const guest = cpus === null ? null : listOf(cpus);
  return {
    guest,
    isolate: true,
    irqs: true,
    workqueues: true,
    governor: 'performance',
    energy: null,
    ...more,
  };
}

/** The machine as people see it, with systemd's own view and the tasks' affinities. */
export function dumpCpus(host: FakeHost): string[] {
  const files = host.tree.dump().filter((line) => !/^\/(?:proc\/\d|run\/passqemu\/|usr\/)/.test(line));
  const tasks = host.tree
    .dump()
    .filter((line) => /^\/proc\/\d+\/status/.test(line) && line.includes('Cpus_allowed'));
  return [...files, ...tasks, ...UNITS.map((unit) => `${unit} AllowedCPUs=${allowedCpus(host, unit)}`)];
}

function systemdTasks(): FakeTask[] {
  return [
    { pid: 1, name: 'systemd', cgroup: 'init.scope' },
    { pid: 101, name: 'sshd', cgroup: 'system.slice/ssh.service' },
    { pid: 102, name: 'pinned', cgroup: 'system.slice/ssh.service', pin: '1' },
    { pid: 103, name: 'across', cgroup: 'system.slice/ssh.service', pin: '2-5' },
    { pid: 104, name: 'gone', cgroup: 'user.slice/user-1000.slice', pin: '6' },
    { pid: 105, name: 'CPU 0/KVM', cgroup: 'machine.slice', pin: '3' },
    { pid: 201, name: 'kswapd1', cgroup: '', pin: '4-7', kernel: true },
    { pid: 202, name: 'ksoftirqd/6', cgroup: '', pin: '6', kernel: true, fixed: true },
  ];
}

/** Without systemd nearly everything is in the root. A fixed kernel thread would be lost for good on 6.1: none is but the governors'. */
function plainTasks(): FakeTask[] {
  return [
    { pid: 1, name: 'init', cgroup: '' },
    { pid: 102, name: 'pinned', cgroup: '', pin: '1' },
    { pid: 103, name: 'across', cgroup: '', pin: '2-5' },
    { pid: 104, name: 'gone', cgroup: 'svc', pin: '6' },
    { pid: 201, name: 'kswapd1', cgroup: '', pin: '4-7', kernel: true },
  ];
}
