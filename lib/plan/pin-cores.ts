import type { Topology } from '../host/topology.ts';
import type { CpuFacts } from '../host/topology-cpus.ts';
import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';

/** A physical core with those of its CPUs that are online, ascending; null is "the machine does not tell". */
export interface PinCore {
  readonly cpus: CpuSet;
  readonly node: number | null;
  readonly l3: number | null;
  readonly kind: CpuFacts['kind'];
  /** Kept free by isolcpus= already. */
  readonly isolated: boolean;
}

/** The cores by their first CPU. Where the machine does not tell who shares a core, `told` is false and each CPU stands alone. */
export function coresOf({ cpus }: Pick<Topology, 'cpus'>): { cores: PinCore[]; told: boolean } {
  const online = cpus.filter((cpu) => cpu.online);
  const known = new Set(online.map(({ id }) => id));
  const seen = new Set<number>();
  const cores: PinCore[] = [];
  for (const cpu of online) {
    if (seen.has(cpu.id)) continue;
    const told = parseCpuList(cpu.siblings ?? '') ?? [];
    const members = told.includes(cpu.id) ? told.filter((id) => known.has(id) && !seen.has(id)) : [cpu.id];
    for (const id of members) seen.add(id);
    const { node, l3, kind } = cpu;
    const isolated = online.every(({ id, isolated }) => !members.includes(id) || isolated);
    cores.push({ cpus: members, node, l3, kind, isolated });
  }
  return { cores, told: online.every(({ siblings }) => siblings !== null) };
}

/** The CPUs of these cores, ascending. */
export function cpusOf(cores: readonly PinCore[]): CpuSet {
  return cores.flatMap(({ cpus }) => cpus).sort((a, b) => a - b);
}
