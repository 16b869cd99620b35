import type { NodeFacts, Topology } from '../lib/host/topology.ts';
import { visible } from '../lib/inputs/parsed.ts';
import { formatCpuList } from '../lib/words/cpu-list.ts';
import { formatKib } from '../lib/words/size.ts';
import { type Paint, painter } from './paint.ts';
import { type DrawnCore, type DrawnGroup, groupTopology, guestLetters } from './topology-groups.ts';
import type { TopologyReport } from './topology-report.ts';

/** The machine's processors as a picture in the terminal: nodes, caches, a bracket for each core, a letter for who has it. */
export function formatTopology(report: TopologyReport, colour: boolean, columns = 100): string {
  const paint = painter(colour);
  const lines = [headline(report)];
  const width = Math.max(1, ...report.cpus.map(({ id }) => `${id}`.length));
  for (const { node, groups } of groupTopology(report)) {
    const name = node === null ? 'On no node that is told' : `Node ${node.id}`;
    lines.push('', `${paint(1, name)}${node === null ? '' : `  ${describeNode(node, report.nodes)}`}`);
    let place = '';
    for (const group of groups) {
      if (group.place !== place && group.place !== '') lines.push(`  ${group.place}`);
      place = group.place;
      lines.push(...drawGroup(group, { paint, width, columns }));
    }
  }
  const legend = formatLegend(report, paint);
  return [...lines, ...(legend.length === 0 ? [] : ['', ...legend])].join('\n');
}

/** "2 packages, 32 cores, 64 CPUs online", as far as it is told. */
export function headline({ packages, cores, threads }: Topology): string {
  const parts = [
    ...(packages === null ? [] : [count(packages, 'package')]),
    ...(cores === null ? [] : [count(cores, 'core')]),
    `${count(threads, 'CPU')} online`,
  ];
  return parts.join(', ');
}

/** A node's CPUs, memory, page pools and distances in a line. */
export function describeNode(
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

/** The cores of a group in rows, as wide as the terminal. */
function drawGroup(
  { cores, facts }: DrawnGroup,
  { paint, width, columns }: { paint: Paint; width: number; columns: number },
): string[] {
  const cells = cores.map((core) => drawCore(core, width, paint));
  const room = Math.max(1, Math.floor((columns - 4) / Math.max(...cells.map(({ length }) => length + 1))));
  const rows = Array.from({ length: Math.ceil(cells.length / room) }, (_, at) =>
    cells
      .slice(at * room, (at + 1) * room)
      .map(({ text }) => text)
      .join(' '),
  );
  return [...(facts === '' ? [] : [`    ${paint(2, facts)}`]), ...rows.map((row) => `    ${row}`.trimEnd())];
}

function drawCore(core: DrawnCore, width: number, paint: Paint): { text: string; length: number } {
  const isolated = core.some((cpu) => cpu.isolated);
  const letters = [...new Set(core.flatMap(({ guest }) => guest ?? []))].join('');
  const numbers = core.map(({ id }) => `${id}`.padStart(width)).join(' ');
  const text = `[${numbers}]${letters || (isolated ? '!' : ' ')}`;
  return { length: text.length, text: letters !== '' ? paint(36, text) : isolated ? paint(33, text) : text };
}

function formatLegend(report: TopologyReport, paint: Paint): string[] {
  const offline = report.cpus.filter(({ online }) => !online).map(({ id }) => id);
  return [
    ...guestLetters(report).map(({ letter, guest, cpus }) =>
      paint(36, `${letter} guest ${visible(guest)}, CPUs ${cpus}`),
    ),
    ...(report.guests === null ? ['Which guest holds which CPU cannot be seen: run it as root'] : []),
    ...(report.isolated === ''
      ? []
      : [paint(33, `! isolated by the kernel command line (isolcpus): ${report.isolated}`)]),
    ...(report.nohzFull === '' ? [] : [`Without timer ticks (nohz_full): ${report.nohzFull}`]),
    ...(offline.length === 0 ? [] : [`Offline: ${formatCpuList(offline)}`]),
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
