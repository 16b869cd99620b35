import type { NodeFacts, Topology } from '../lib/host/topology.ts';
import type { CpuFacts } from '../lib/host/topology-cpus.ts';
import { formatCpuList, parseCpuList } from '../lib/words/cpu-list.ts';
import { formatKib } from '../lib/words/size.ts';

/** The machine's processors for people: a tree of nodes, level 3 caches and cores. */
export function formatTopology(topology: Topology, colour: boolean): string {
  const bold = (text: string) => (colour ? `\x1b[1m${text}\x1b[0m` : text);
  const lines = [headline(topology)];
  for (const node of topology.nodes) {
    const cpus = new Set(parseCpuList(node.cpus) ?? []);
    lines.push(`${bold(`Node ${node.id}`)}  ${describeNode(node, topology.nodes)}`);
    lines.push(
      ...formatCores(
        topology.cpus.filter(({ id }) => cpus.has(id)),
        topology,
      ),
    );
  }
  const offline = topology.cpus.filter(({ online }) => !online).map(({ id }) => id);
  if (offline.length > 0) lines.push(`Offline: ${formatCpuList(offline)}`);
  if (topology.isolated !== '')
    lines.push(`Isolated by the kernel command line (isolcpus): ${topology.isolated}`);
  if (topology.nohzFull !== '') lines.push(`Without timer ticks (nohz_full): ${topology.nohzFull}`);
  return lines.join('\n');
}

function headline({ packages, cores, threads }: Topology): string {
  const parts = [
    ...(packages === null ? [] : [count(packages, 'package')]),
    ...(cores === null ? [] : [count(cores, 'core')]),
    `${count(threads, 'CPU')} online`,
  ];
  return parts.join(', ');
}

function describeNode(
  { cpus, memoryKiB, distances, hugepages }: NodeFacts,
  nodes: readonly NodeFacts[],
): string {
  const far = distances
    .map((distance, at) => ({ distance, id: nodes[at]?.id }))
    .filter(({ distance, id }) => distance > 10 && id !== undefined)
    .map(({ distance, id }) => `${distance} to node ${id}`);
  const pages = hugepages
    .filter(({ total }) => total > 0)
    .map(({ sizeKiB, total, free }) => `${total} pages of ${formatKib(sizeKiB)} (${free} free)`);
  return [
    cpus === '' ? 'no CPUs' : `CPUs ${cpus}`,
    ...(memoryKiB === null ? [] : [`${(memoryKiB / 1_048_576).toFixed(1)} GiB`]),
    ...pages,
    ...(far.length === 0 ? [] : [`distance ${far.join(', ')}`]),
  ].join(', ');
}

/** Lines for the cores, those that share a level 3 cache together. */
function formatCores(cpus: readonly CpuFacts[], { caches }: Topology): string[] {
  const lines: string[] = [];
  for (const [l3, members] of groupBy(cpus, ({ l3 }) => l3)) {
    const first = members[0]!.id;
    const cache = caches.find(
      ({ level, cpus: shared }) => level === 3 && parseCpuList(shared)?.includes(first),
    );
    const size = cache?.sizeKiB == null ? '' : ` of ${formatKib(cache.sizeKiB)}`;
    if (l3 !== null) lines.push(`  L3 cache ${l3}${size}`);
    const indent = l3 === null ? '  ' : '    ';
    for (const core of groupBy(members, ({ id, siblings }) => siblings ?? `${id}`).values()) {
      lines.push(indent + describeCore(core));
    }
  }
  return lines;
}

function describeCore(cpus: readonly CpuFacts[]): string {
  const first = cpus[0]!;
  const facts = [
    ...(first.core === null ? [] : [`core ${first.core}`]),
    ...(first.package === null ? [] : [`package ${first.package}`]),
    ...(first.kind === null ? [] : [first.kind]),
    ...(first.maxKHz === null ? [] : [`${(first.maxKHz / 1_000_000).toFixed(1)} GHz`]),
    ...(first.governor === null ? [] : [first.governor]),
    ...(first.epp === null ? [] : [first.epp]),
    ...(first.isolated ? ['isolated'] : []),
  ];
  const ids = formatCpuList(cpus.map(({ id }) => id));
  const name = `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${ids}`;
  return facts.length === 0 ? name : `${name.padEnd(12)} ${facts.join(', ')}`;
}

function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
