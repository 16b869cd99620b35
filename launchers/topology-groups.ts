import type { NodeFacts } from '../lib/host/topology.ts';
import type { CpuFacts } from '../lib/host/topology-cpus.ts';
import { parseCpuList } from '../lib/words/cpu-list.ts';
import { formatKib } from '../lib/words/size.ts';
import type { TopologyReport } from './topology-report.ts';

/** A CPU as it is drawn, with the letter of the guest that has it, if any. */
export interface DrawnCpu {
  readonly id: number;
  readonly isolated: boolean;
  readonly guest: string | null;
}

/** A core as it is drawn. */
export type DrawnCore = readonly DrawnCpu[];

/** Cores that share a cache and are alike: one row of the picture, or several. */
export interface DrawnGroup {
  /** "Package 0, L3 cache 1 of 32 MiB"; empty where nothing is told. */
  readonly place: string;
  /** "performance, 5.2 GHz, powersave". */
  readonly facts: string;
  readonly cores: readonly DrawnCore[];
}

/** A node with its groups; `node` null for CPUs that are online on no node that is told. */
export interface DrawnNode {
  readonly node: NodeFacts | null;
  readonly groups: readonly DrawnGroup[];
}

/** What both pictures show, in their order. */
export function groupTopology(report: TopologyReport): DrawnNode[] {
  const letters = lettersOf(report);
  const online = report.cpus.filter((cpu) => cpu.online);
  const numbers = [...report.nodes.map(({ id }) => id), null];
  return numbers.flatMap((id) => {
    const node = report.nodes.find((one) => one.id === id) ?? null;
    const cpus = online.filter((cpu) => cpu.node === id);
    return node === null && cpus.length === 0 ? [] : [{ node, groups: groupCores(cpus, report, letters) }];
  });
}

/** A letter for each guest, in the order of their names: A to Z, then a to z, then *. */
export function guestLetters({ guests }: TopologyReport): { letter: string; guest: string; cpus: string }[] {
  return (guests ?? []).map(({ guest, cpus }, at) => ({ letter: LETTERS[at] ?? '*', guest, cpus }));
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Groups values by a key, in the order in which the keys appear. */
export function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function lettersOf(report: TopologyReport): ReadonlyMap<number, string> {
  return new Map(
    guestLetters(report).flatMap(({ letter, cpus }) =>
      (parseCpuList(cpus) ?? []).map((cpu) => [cpu, letter] as const),
    ),
  );
}

function groupCores(
  cpus: readonly CpuFacts[],
  report: TopologyReport,
  letters: ReadonlyMap<number, string>,
): DrawnGroup[] {
  const sizes = new Map(
    report.caches
      .filter(({ level }) => level === 3)
      .flatMap(({ cpus: shared, sizeKiB }) =>
        (parseCpuList(shared) ?? []).map((cpu) => [cpu, sizeKiB] as const),
      ),
  );
  const manyDies = new Set(cpus.map(({ die }) => die)).size > 1;
  const placeOf = ({ id, package: packageId, die, l3 }: CpuFacts) => {
    const size = sizes.get(id) ?? null;
    const parts = [
      ...(packageId === null ? [] : [`package ${packageId}`]),
      ...(manyDies && die !== null ? [`die ${die}`] : []),
      ...(l3 === null ? [] : [`L3 cache ${l3}${size === null ? '' : ` of ${formatKib(size)}`}`]),
    ].join(', ');
    return parts === '' ? '' : parts[0]!.toUpperCase() + parts.slice(1);
  };
  return [...groupBy(cpus, (cpu) => `${placeOf(cpu)}\n${factsOf(cpu)}`)].map(([key, members]) => {
    const [place = '', facts = ''] = key.split('\n');
    const cores = [...groupBy(members, ({ id, siblings }) => siblings ?? `${id}`).values()];
    return {
      place,
      facts,
      cores: cores.map((core) =>
        core.map(({ id, isolated }) => ({ id, isolated, guest: letters.get(id) ?? null })),
      ),
    };
  });
}

function factsOf({ kind, maxKHz, governor, epp }: CpuFacts): string {
  return [
    ...(kind === null ? [] : [`${kind} cores`]),
    ...(maxKHz === null ? [] : [`${(maxKHz / 1_000_000).toFixed(1)} GHz`]),
    ...(governor === null ? [] : [governor]),
    ...(epp === null ? [] : [epp]),
  ].join(', ');
}
