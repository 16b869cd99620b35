import type { Topology } from '../host/topology.ts';
import { parseCpuList } from '../words/cpu-list.ts';
import type { PinCore } from './pin-cores.ts';

/** Cores near each other that a guest may get: those below one L3 cache, those of one NUMA node, or all. */
export interface PinPlace {
  readonly level: 'l3' | 'node' | 'machine';
  /** Number of the cache or the node; null for the machine. */
  readonly id: number | null;
  readonly cores: readonly PinCore[];
}

/** The caches and nodes that the cores lie in, then the machine; a cache or node that is not told makes no place. */
export function placesOf(cores: readonly PinCore[]): PinPlace[] {
  const places: PinPlace[] = [];
  for (const level of ['l3', 'node'] as const) {
    const groups = new Map<number, PinCore[]>();
    for (const core of cores) {
      const id = core[level];
      if (id === null) continue;
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [core]);
      else group.push(core);
    }
    for (const [id, members] of groups) places.push({ level, id, cores: members });
  }
  places.push({ level: 'machine', id: null, cores });
  return places;
}

/** The level 3 caches' sizes in KiB by the number that the CPUs know them by. */
export function l3Sizes({ cpus, caches }: Pick<Topology, 'cpus' | 'caches'>): ReadonlyMap<number, number> {
  const l3Of = new Map(cpus.map(({ id, l3 }) => [id, l3] as const));
  const sizes = new Map<number, number>();
  for (const { level, cpus: shared, sizeKiB } of caches) {
    const l3 = l3Of.get(parseCpuList(shared)?.[0] ?? -1) ?? null;
    if (level === 3 && l3 !== null && sizeKiB !== null) sizes.set(l3, sizeKiB);
  }
  return sizes;
}

const LARGE_KIB = 64 * 1024;

/**
 * The caches that are rich beside others, as on processors where one of two dies carries stacked cache: 64 MiB at least, and
 * twice as much as the smallest. Unequal caches alone do not make one: some processors pair 16 MiB with 8.
 */
export function richCaches(sizes: ReadonlyMap<number, number>): number[] {
  const largest = Math.max(...sizes.values());
  const smallest = Math.min(...sizes.values());
  if (largest < LARGE_KIB || largest < 2 * smallest) return [];
  return [...sizes].filter(([, size]) => size === largest).map(([l3]) => l3);
}

/** How far each node is from this one, by the nodes' numbers (10 is the node itself). */
export function distancesFrom({ nodes }: Pick<Topology, 'nodes'>, node: number): ReadonlyMap<number, number> {
  const row = nodes.find(({ id }) => id === node)?.distances ?? [];
  return new Map(nodes.map(({ id }, index) => [id, row[index] ?? (id === node ? 10 : 255)]));
}
