import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import { type CpuPolicy, listPolicies, readPolicy } from './cpufreq.ts';
import type { Host } from './host.ts';
import { CPUS, readCpuListFile, readCpuMaskFile } from './online-cpus.ts';

/** One CPU (a hardware thread). The kernel takes most of it away while a CPU is offline. */
export interface CpuFacts {
  readonly id: number;
  readonly online: boolean;
  readonly package: number | null;
  readonly die: number | null;
  readonly core: number | null;
  /** The CPUs of its core, itself too, as a kernel list. */
  readonly siblings: string | null;
  /** Which level 3 cache it uses. */
  readonly l3: number | null;
  readonly node: number | null;
  readonly kind: 'performance' | 'efficiency' | null;
  readonly maxKHz: number | null;
  readonly isolated: boolean;
  readonly governor: string | null;
  readonly epp: string | null;
}

/** What other readers know of the CPUs already. */
export interface CpuSurroundings {
  readonly online: CpuSet;
  readonly present: CpuSet;
  readonly isolated: CpuSet;
  readonly nodeOf: ReadonlyMap<number, number>;
  readonly l3Of: ReadonlyMap<number, number>;
}

/** Reads every CPU that is there, in the order of their numbers. */
export function readCpuFacts(host: Host, around: CpuSurroundings): CpuFacts[] {
  const online = new Set(around.online);
  const isolated = new Set(around.isolated);
  const kindOf = readKinds(host);
  const policyOf = new Map<number, CpuPolicy>();
  for (const policy of listPolicies(host).map((name) => readPolicy(host, name))) {
    for (const cpu of policy.cpus) policyOf.set(cpu, policy);
  }
  return around.present.map((id) => {
    const policy = policyOf.get(id);
    return {
      id,
      online: online.has(id),
      ...readPlace(host, id),
      l3: around.l3Of.get(id) ?? null,
      node: around.nodeOf.get(id) ?? null,
      kind: kindOf.get(id) ?? null,
      maxKHz: readNumber(host, `${CPUS}/cpu${id}/cpufreq/cpuinfo_max_freq`),
      isolated: isolated.has(id),
      governor: policy?.governor ?? null,
      epp: policy?.energy ?? null,
    };
  });
}

function readPlace(host: Host, id: number): Pick<CpuFacts, 'package' | 'die' | 'core' | 'siblings'> {
  const folder = `${CPUS}/cpu${id}/topology`;
  // core_cpus_list is the name since 5.3
  const siblings =
    readCpuListFile(host, `${folder}/core_cpus_list`) ??
    readCpuListFile(host, `${folder}/thread_siblings_list`) ??
    readCpuMaskFile(host, `${folder}/core_cpus`) ??
    readCpuMaskFile(host, `${folder}/thread_siblings`);
  return {
    package: readNumber(host, `${folder}/physical_package_id`),
    die: readNumber(host, `${folder}/die_id`),
    core: readNumber(host, `${folder}/core_id`),
    siblings: siblings === null || siblings.length === 0 ? null : formatCpuList(siblings),
  };
}

/** Which kind of core each CPU has, where there are two: the performance counters of either name their CPUs (Intel). */
function readKinds(host: Host): Map<number, 'performance' | 'efficiency'> {
  const kinds = new Map<number, 'performance' | 'efficiency'>();
  for (const [name, kind] of [
    ['cpu_core', 'performance'],
    ['cpu_atom', 'efficiency'],
  ] as const) {
    for (const cpu of readCpuListFile(host, `/sys/devices/${name}/cpus`) ?? []) kinds.set(cpu, kind);
  }
  return kinds;
}

/** A number that is not negative; the kernel writes -1 (or 65535 for a package) for what it does not know. */
function readNumber(host: Host, path: string): number | null {
  const text = host.readOptional(path);
  if (text === null || !/^\d{1,12}$/.test(text)) return null;
  return text === '65535' && path.endsWith('physical_package_id') ? null : Number(text);
}
