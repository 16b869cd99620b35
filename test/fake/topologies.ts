import type { Topology } from '../../lib/host/topology.ts';
import type { CpuFacts } from '../../lib/host/topology-cpus.ts';
import { formatCpuList } from '../../lib/words/cpu-list.ts';

/** One core of a made-up machine. */
export interface ShapeCore {
  readonly cpus: readonly number[];
  readonly node?: number | null;
  readonly l3?: number | null;
  readonly kind?: CpuFacts['kind'];
  readonly offline?: readonly number[];
}

export interface Shape {
  readonly cores: readonly ShapeCore[];
  /** KiB by the L3's number. */
  readonly l3Sizes?: Readonly<Record<number, number>>;
  readonly distances?: Readonly<Record<number, readonly number[]>>;
  readonly isolated?: readonly number[];
  /** A machine that does not tell who shares a core. */
  readonly silent?: boolean;
}

/** A topology as readTopology() gives it, from the shape of a machine. */
export function makeTopology({
  cores,
  l3Sizes = {},
  distances = {},
  isolated = [],
  silent = false,
}: Shape): Topology {
  const cpus: CpuFacts[] = cores.flatMap((core, index) => {
    const online = core.cpus.filter((id) => !core.offline?.includes(id));
    return core.cpus.map((id): CpuFacts => {
      const isOnline = online.includes(id);
      return {
        id,
        online: isOnline,
        package: silent || !isOnline ? null : 0,
        die: null,
        core: silent || !isOnline ? null : index,
        siblings: silent || !isOnline ? null : formatCpuList([...online].sort((a, b) => a - b)),
        l3: isOnline ? (core.l3 ?? null) : null,
        node: isOnline ? (core.node === undefined ? 0 : core.node) : null,
        kind: core.kind ?? null,
        maxKHz: null,
        isolated: isolated.includes(id),
        governor: null,
        epp: null,
      };
    });
  });
  cpus.sort((a, b) => a.id - b.id);
  const members = (test: (cpu: CpuFacts) => boolean) => formatCpuList(cpus.filter(test).map(({ id }) => id));
  const nodes = [...new Set([...cpus.map(({ node }) => node), ...Object.keys(distances).map(Number)])]
    .filter((node) => node !== null)
    .sort((a, b) => a - b);
  return {
    packages: 1,
    cores: silent ? null : cores.length,
    threads: cpus.filter(({ online }) => online).length,
    cpus,
    caches: Object.entries(l3Sizes).map(([id, sizeKiB]) => ({
      level: 3,
      type: 'unified',
      cpus: members(({ l3 }) => l3 === Number(id)),
      sizeKiB,
    })),
    nodes: nodes.map((id) => ({
      id,
      cpus: members(({ node }) => node === id),
      memoryKiB: 1 << 24,
      distances: distances[id] ?? nodes.map((one) => (one === id ? 10 : 20)),
      hugepages: [],
    })),
    isolated: formatCpuList([...isolated]),
    nohzFull: '',
  };
}

/** Cores in a row: core n has CPU first+n, and with threads first+n+stride too. */
export function row(
  count: number,
  core: Omit<ShapeCore, 'cpus'> & { first?: number; stride?: number } = {},
): ShapeCore[] {
  const { first = 0, stride, ...rest } = core;
  return Array.from({ length: count }, (_, at) => ({
    ...rest,
    cpus: stride === undefined ? [first + at] : [first + at, first + at + stride],
  }));
}

const MIB = 1024;

/** Machines that people pass devices on. */
export const SHAPES = {
  /** Four cores, one cache, no threads. */
  quad: { cores: row(4, { l3: 0 }), l3Sizes: { 0: 6 * MIB } },
  /** Eight cores with two threads, siblings eight apart. */
  eight: { cores: row(8, { l3: 0, stride: 8 }), l3Sizes: { 0: 32 * MIB } },
  /** The same with siblings next to each other. */
  neighbours: {
    cores: Array.from({ length: 8 }, (_, at) => ({ cpus: [2 * at, 2 * at + 1], l3: 0 })),
    l3Sizes: { 0: 32 * MIB },
  },
  /** Two dies of eight cores, the first with stacked cache. */
  stacked: {
    cores: [...row(8, { l3: 0, stride: 16 }), ...row(8, { first: 8, l3: 1, stride: 16 })],
    l3Sizes: { 0: 96 * MIB, 1: 32 * MIB },
  },
  /** Two dies of eight, alike. */
  twoDies: {
    cores: [...row(8, { l3: 0, stride: 16 }), ...row(8, { first: 8, l3: 1, stride: 16 })],
    l3Sizes: { 0: 32 * MIB, 1: 32 * MIB },
  },
  /** Eight performance cores with threads, sixteen efficiency cores. */
  hybrid: {
    cores: [
      ...Array.from({ length: 8 }, (_, at) => ({
        cpus: [2 * at, 2 * at + 1],
        l3: 0,
        kind: 'performance' as const,
      })),
      ...row(16, { first: 16, l3: 0, kind: 'efficiency' }),
    ],
    l3Sizes: { 0: 36 * MIB },
  },
  /** Two packages of sixteen cores, each a node, CPU numbers dealt in turn. */
  dealt: {
    cores: Array.from({ length: 32 }, (_, at) => ({ cpus: [at, at + 32], node: at % 2, l3: at % 2 })),
    l3Sizes: { 0: 40 * MIB, 1: 40 * MIB },
    distances: { 0: [10, 21], 1: [21, 10] },
  },
  /** Four nodes with gaps in their numbers, several caches on each, and one of memory alone. */
  server: {
    cores: [0, 2, 4, 6].flatMap((node, n) =>
      [0, 1].flatMap((cache) => row(4, { first: n * 8 + cache * 4, stride: 32, node, l3: n * 2 + cache })),
    ),
    l3Sizes: Object.fromEntries(Array.from({ length: 8 }, (_, l3) => [l3, 16 * MIB])),
    distances: {
      0: [10, 12, 32, 32, 17],
      2: [12, 10, 32, 32, 28],
      4: [32, 32, 10, 12, 28],
      6: [32, 32, 12, 10, 14],
      9: [17, 28, 28, 14, 10],
    },
  },
  /** A virtual machine that tells nothing. */
  silent: { cores: row(4, { node: null }), silent: true },
  /** Two cores of which one has a sibling offline. */
  halfOffline: { cores: [{ cpus: [0, 2] }, { cpus: [1, 3], offline: [3] }] },
  /** One CPU. */
  single: { cores: row(1) },
} satisfies Record<string, Shape>;
