import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { CPUS } from './online-cpus.ts';

/** A cpufreq policy: the CPUs that change their frequency together. What a driver does not have is null. */
export interface CpuPolicy {
  /** "policy4". */
  readonly name: string;
  readonly cpus: CpuSet;
  readonly driver: string | null;
  readonly governor: string | null;
  readonly governors: readonly string[];
  readonly energy: string | null;
  readonly energies: readonly string[];
}

/** Where a policy's files are. See Documentation/admin-guide/pm/cpufreq.rst. */
export function policyPath(name: string): string {
  return `${CPUS}/cpufreq/${name}`;
}

/** The governor's file, and that of the energy preference (intel_pstate.rst, amd-pstate.rst). */
export const GOVERNOR_FILE = 'scaling_governor';
export const ENERGY_FILE = 'energy_performance_preference';

/** The policies of these CPUs, by their numbers; empty where the machine has no frequency scaling. */
export function readPolicies(host: Host, cpus: CpuSet): CpuPolicy[] {
  const names = new Set<string>();
  for (const cpu of cpus) {
    const name = host.linkName(`${CPUS}/cpu${cpu}/cpufreq`);
    if (name !== null) names.add(name);
  }
  return [...names].map((name) => readPolicy(host, name));
}

/** The names of all policies, by number. */
export function listPolicies(host: Host): string[] {
  return host
    .list(`${CPUS}/cpufreq`)
    .filter((name) => /^policy\d{1,5}$/.test(name))
    .sort((a, b) => Number(a.slice('policy'.length)) - Number(b.slice('policy'.length)));
}

/** One policy as it is now. */
export function readPolicy(host: Host, name: string): CpuPolicy {
  const text = (file: string) => host.readOptional(`${policyPath(name)}/${file}`);
  // Offline CPUs of the policy come back into it with the values that it has
  const cpus = parsePolicyCpus(text('affected_cpus') ?? '');
  const energy = text(ENERGY_FILE);
  return {
    name,
    cpus,
    driver: text('scaling_driver'),
    governor: text(GOVERNOR_FILE),
    governors: words(text('scaling_available_governors')),
    energy,
    energies: energy === null ? [] : words(text('energy_performance_available_preferences')),
  };
}

/** Reads affected_cpus: numbers with blanks between them ("4 5"), unlike every other list of sysfs. */
export function parsePolicyCpus(text: string): CpuSet {
  return parseCpuList(words(text).join(',')) ?? [];
}

/**
 * Whether the kernel has a governor as a module: writing the name of one that is not in scaling_available_governors
 * makes the kernel load it (cpufreq_parse_governor).
 */
export function isLoadableGovernor(host: Host, governor: string): boolean {
  const release = host.readOptional('/proc/sys/kernel/osrelease');
  if (release === null || !/^[\w.+~-]+$/.test(release) || !/^[a-z_]+$/.test(governor)) return false;
  const folder = `/lib/modules/${release}/kernel/drivers/cpufreq`;
  return ['', '.xz', '.zst', '.gz'].some((end) => host.exists(`${folder}/cpufreq_${governor}.ko${end}`));
}

function words(text: string | null): string[] {
  return text === null ? [] : text.split(/\s+/).filter((word) => word !== '');
}
