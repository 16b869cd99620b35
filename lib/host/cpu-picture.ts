import type { Domain } from '../inputs/domain.ts';
import { guestCpusOf } from '../inputs/guest-cpus.ts';
import type { Profile } from '../inputs/profile.ts';
import { type CpuSet, parseCpuMask } from '../words/cpu-list.ts';
import { hasCpusetController, listChildCgroups, readCgroupMode, readOwnEffectiveCpus } from './cgroups.ts';
import { type CpuRival, readCpuRivals } from './cpu-rivals.ts';
import { type CpuPolicy, isLoadableGovernor, readPolicies } from './cpufreq.ts';
import type { Host } from './host.ts';
import { DEFAULT_AFFINITY } from './irqs.ts';
import { CPUS, type CpuNumbers, readCpuListFile, readCpuNumbers } from './online-cpus.ts';
import { isSystemd, readAllowedCpus } from './systemd.ts';
import { readWorkqueueMask } from './workqueues.ts';

/** A systemd unit that holds what the host runs. */
export interface HostUnit {
  readonly unit: string;
  readonly effective: CpuSet;
  /** A file of the admin's that beats our setting at the next daemon-reload. */
  readonly stronger: string | null;
}

/** How the host can be kept off CPUs at run time, or why it cannot. */
export type CpuControl =
  | { readonly by: 'systemd'; readonly units: readonly HostUnit[] }
  /** `strangers`: child cgroups of the one that would become a partition. */
  | { readonly by: 'partition'; readonly cgroup: string; readonly strangers: readonly string[] }
  | { readonly by: null; readonly why: string; readonly remedy: string };

/** What of the host's CPUs the planner needs. What nobody asked for is not read: null or empty. */
export interface CpuPicture extends CpuNumbers {
  /** Kept free by the kernel command line: isolcpus= and nohz_full=. */
  readonly isolated: CpuSet;
  readonly nohzFull: CpuSet;
  readonly control: CpuControl | null;
  /** Kernels before 6.2 lose a task's own affinity when its cpuset changes. */
  readonly forgetsAffinities: boolean;
  readonly defaultIrqCpus: CpuSet | null;
  readonly workqueueCpus: CpuSet | null;
  /** Of the guest's CPUs. */
  readonly policies: readonly CpuPolicy[];
  /** Whether the wanted governor is a module that the kernel would load. */
  readonly governorLoadable: boolean;
  readonly rivals: readonly CpuRival[];
}

/** The units that everything of the host runs in, guests aside (systemd.special(7)). */
const HOST_UNITS: readonly string[] = ['system.slice', 'user.slice', 'init.scope'];

/** Where libvirt puts guests when there is no systemd. */
export const GUEST_CGROUP = 'machine';

/** Reads what the planner needs for this profile and domain, and no more. */
export function readCpuPicture(host: Host, cpu: Profile['cpu'], domain: Domain | null): CpuPicture {
  const numbers = readCpuNumbers(host);
  const { cpus } = guestCpusOf(cpu, domain, numbers.online);
  const wanted = cpus.length > 0;
  const tuned = wanted && (cpu.governor !== null || cpu.energy !== null);
  const policies = tuned ? readPolicies(host, cpus) : [];
  const missing =
    cpu.governor !== null && policies.some((policy) => !policy.governors.includes(cpu.governor!));
  const mask = wanted && cpu.irqs ? host.readOptional(DEFAULT_AFFINITY) : null;
  return {
    ...numbers,
    isolated: (wanted && readCpuListFile(host, `${CPUS}/isolated`)) || [],
    nohzFull: (wanted && readCpuListFile(host, `${CPUS}/nohz_full`)) || [],
    control: wanted && cpu.isolate ? readCpuControl(host, numbers.online) : null,
    forgetsAffinities: forgetsAffinities(host.readOptional('/proc/sys/kernel/osrelease') ?? ''),
    defaultIrqCpus: mask === null ? null : parseCpuMask(mask),
    workqueueCpus: wanted && cpu.workqueues ? readWorkqueueMask(host) : null,
    policies,
    governorLoadable: missing && isLoadableGovernor(host, cpu.governor ?? ''),
    rivals: wanted && (tuned || cpu.irqs) ? readCpuRivals(host) : [],
  };
}

/** How this machine lets the host be kept off CPUs. */
function readCpuControl(host: Host, online: CpuSet): CpuControl {
  const mode = readCgroupMode(host);
  if (mode !== 'v2') {
    const why = mode === 'none' ? 'no cgroups are mounted' : `cgroups are version 1 (${mode})`;
    return { by: null, why, remedy: 'Boot with systemd.unified_cgroup_hierarchy=1 or mount cgroup2' };
  }
  if (!hasCpusetController(host)) {
    const remedy = 'Remove cgroup_disable=cpuset from the kernel command line, or the version 1 mount of it';
    return { by: null, why: 'cgroup version 2 has no cpuset controller', remedy };
  }
  if (isSystemd(host)) {
    return { by: 'systemd', units: HOST_UNITS.map((unit) => readHostUnit(host, unit, online)) };
  }
  return { by: 'partition', cgroup: GUEST_CGROUP, strangers: listChildCgroups(host, GUEST_CGROUP) };
}

function readHostUnit(host: Host, unit: string, online: CpuSet): HostUnit {
  const effective = readOwnEffectiveCpus(host, unit) ?? online;
  return { unit, effective, stronger: readAllowedCpus(host, unit).stronger };
}

/**
 * Whether this kernel forgets them. There is no file to ask, so by its version; a distribution's kernel that has the
 * change (8f9ea86fdf99, "Always preserve the user requested cpumask") earlier only costs us some reading.
 */
export function forgetsAffinities(release: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match === null || Number(match[1]) < 6 || (Number(match[1]) === 6 && Number(match[2]) < 2);
}
