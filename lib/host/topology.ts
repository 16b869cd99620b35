import { type CpuSet, formatCpuList, parseCpuList } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { readMemoryPicture } from './memory.ts';
import { CPUS, readCpuListFile, readCpuNumbers } from './online-cpus.ts';
import { type CacheFacts, readCaches } from './topology-caches.ts';
import { type CpuFacts, readCpuFacts } from './topology-cpus.ts';

/** A NUMA node; distances are to the nodes in their order, the smaller the nearer (10 is the node itself). */
export interface NodeFacts {
  readonly id: number;
  /** A kernel list. */
  readonly cpus: string;
  readonly memoryKiB: number | null;
  readonly distances: readonly number[];
  readonly hugepages: readonly { readonly sizeKiB: number; readonly total: number; readonly free: number }[];
}

/** The machine's processors as `passqemu topology --json` shows them: CPU sets are kernel lists, what is not told is null. */
export interface Topology {
  readonly packages: number | null;
  /** Physical cores with at least one CPU online. */
  readonly cores: number | null;
  /** CPUs online. */
  readonly threads: number;
  readonly cpus: readonly CpuFacts[];
  readonly caches: readonly CacheFacts[];
  readonly nodes: readonly NodeFacts[];
  readonly isolated: string;
  readonly nohzFull: string;
}

/** Reads all of it. See Documentation/admin-guide/cputopology.rst and Documentation/ABI/stable/sysfs-devices-node. */
export function readTopology(host: Host): Topology {
  const { online, present } = readCpuNumbers(host);
  const isolated = readCpuListFile(host, `${CPUS}/isolated`) ?? [];
  const caches = readCaches(host, online);
  const nodes = readNodes(host);
  const nodeOf = new Map(
    nodes.flatMap(({ id, cpus }) => (parseCpuList(cpus) ?? []).map((cpu) => [cpu, id] as const)),
  );
  const l3Of = new Map(caches.flatMap(({ facts, id }) => (facts.level === 3 ? listed(facts.cpus, id) : [])));
  const cpus = readCpuFacts(host, { online, present, isolated, nodeOf, l3Of });
  const running = cpus.filter((cpu) => cpu.online);
  return {
    packages: countKnown(running.map((cpu) => cpu.package)),
    // Numbers of cores begin anew in every package and die, sets of siblings do not
    cores: countKnown(running.map((cpu) => cpu.siblings)),
    threads: online.length,
    cpus,
    caches: caches.map(({ facts }) => facts),
    nodes,
    isolated: formatCpuList(isolated),
    nohzFull: formatCpuList(readCpuListFile(host, `${CPUS}/nohz_full`) ?? []),
  };
}

function readNodes(host: Host): NodeFacts[] {
  return readMemoryPicture(host).nodes.map(({ id, cpus, totalKib, pools }) => ({
    id,
    cpus: formatCpuList(cpus),
    memoryKiB: totalKib === 0 ? null : totalKib,
    distances: parseDistances(host.readOptional(`/sys/devices/system/node/node${id}/distance`) ?? ''),
    hugepages: [...pools].map(([sizeKiB, { pages, surplus, free }]) => ({
      sizeKiB,
      total: pages + surplus,
      free,
    })),
  }));
}

/** Reads a node's `distance`: "10 21". */
export function parseDistances(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => /^\d{1,3}$/.test(word))
    .map(Number);
}

/** How many different ones there are; null as soon as one is not known. */
function countKnown(values: readonly (number | string | null)[]): number | null {
  return values.includes(null) || values.length === 0 ? null : new Set(values).size;
}

function listed(cpus: string, id: number): (readonly [number, number])[] {
  const set: CpuSet = parseCpuList(cpus) ?? [];
  return set.map((cpu) => [cpu, id] as const);
}
