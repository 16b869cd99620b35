import type { Finding } from '../lib/doctor/finding.ts';
import type { NodeFacts } from '../lib/host/topology.ts';
import { formatKib } from '../lib/words/size.ts';
import { VERSION } from '../lib/words/version.ts';
import type { DevicesReport } from './devices-report.ts';
import { escapeLines, escapeMarkup } from './markup.ts';
import { formatDevicesPart } from './report-devices.ts';
import { formatFindingsPart } from './report-findings.ts';
import { REPORT_STYLE } from './report-style.ts';
import type { GuestOnCpus, TopologyReport } from './topology-report.ts';
import { formatTopologySvg } from './topology-svg.ts';

/** All that the page tells. */
export interface ReportInput {
  /** "Debian GNU/Linux 12", null where it is not told. */
  readonly system: string | null;
  readonly kernel: string | null;
  readonly commandLine: string | null;
  readonly findings: readonly Finding[];
  readonly devices: DevicesReport;
  readonly topology: TopologyReport;
  readonly timeMs: number;
}

/** The CPU map is narrow enough to be read on a telephone. */
const MAP_WIDTH = 460;

/** One page with everything in it: no script, nothing from elsewhere, whatever the machine says is text. */
export function formatReport(input: ReportInput): string {
  const { findings, devices, topology } = input;
  const parts = [
    ['findings', 'What to know first', formatFindingsPart(findings)],
    ['iommu', 'Devices by IOMMU group', formatDevicesPart(devices)],
    ['cpus', 'Processors', formatCpus(topology)],
    ['memory', 'Memory', formatMemory(topology)],
    ['raw', 'Raw data', formatRaw(input)],
  ] as const;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<title>passqemu report</title>',
    '<link rel="icon" href="data:,">',
    `<style>${REPORT_STYLE}</style>`,
    '</head>',
    '<body>',
    '<header>',
    '<h1>passqemu report</h1>',
    formatMachine(input),
    `<nav aria-label="Parts"><ul>${parts.map(([id, title]) => `<li><a href="#${id}">${title}</a></li>`).join('')}</ul></nav>`,
    '</header>',
    '<main>',
    ...parts.map(
      ([id, title, text]) =>
        `<section id="${id}" class="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${text}\n</section>`,
    ),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function formatMachine({ system, kernel, timeMs }: ReportInput): string {
  return formatList([
    ['System', system ?? 'not told'],
    ['Kernel', kernel ?? 'not told'],
    ['Made', `${new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC by passqemu ${VERSION}`],
  ]);
}

function formatCpus(topology: TopologyReport): string {
  const { guests } = topology;
  const held =
    guests === null
      ? '<p>Which guest has which CPU could not be seen: make the report as root.</p>'
      : guests.length === 0
        ? '<p>No guest has CPUs of its own.</p>'
        : guests.map(formatGuest).join('\n');
  return `${formatTopologySvg(topology, MAP_WIDTH)}\n<h3>Guests</h3>\n${held}`;
}

function formatGuest({ guest, cpus, vcpus }: GuestOnCpus): string {
  const pins = vcpus.map(({ vcpu, cpus: on }) => [`vCPU ${vcpu}`, `CPU ${on}`] as const);
  return `<article class="card"><h3>${escapeMarkup(guest)}</h3>${formatList([['CPUs', cpus], ...pins])}</article>`;
}

function formatMemory({ nodes }: TopologyReport): string {
  return nodes
    .map(
      (node) =>
        `<article class="card"><h3>Node ${node.id}</h3>${formatList(nodeFacts(node, nodes))}</article>`,
    )
    .join('\n');
}

function nodeFacts({ id, cpus, memoryKiB, distances, hugepages }: NodeFacts, nodes: readonly NodeFacts[]) {
  const pools = hugepages.map(
    ({ sizeKiB, total, free }) => [`Pages of ${formatKib(sizeKiB)}`, `${total}, ${free} free`] as const,
  );
  const far = distances.flatMap((distance, at) =>
    nodes[at] === undefined || nodes[at].id === id ? [] : [`${distance} to node ${nodes[at].id}`],
  );
  return [
    ['CPUs', cpus === '' ? 'none' : cpus],
    ['Memory', memoryKiB === null ? 'not told' : `${(memoryKiB / 1_048_576).toFixed(1)} GiB`],
    ...pools,
    ...(far.length === 0 ? [] : [['Distance', far.join(', ')] as const]),
  ] as const;
}

function formatRaw({ commandLine, findings, devices, topology }: ReportInput): string {
  const fold = (title: string, text: string) =>
    `<details><summary>${title}</summary><pre>${escapeLines(text)}</pre></details>`;
  return [
    fold('Kernel command line', commandLine ?? 'not told'),
    fold('passqemu doctor --json', JSON.stringify({ findings }, null, 2)),
    fold('passqemu devices --json', JSON.stringify(devices, null, 2)),
    fold('passqemu topology --json', JSON.stringify(topology, null, 2)),
  ].join('\n');
}

function formatList(facts: readonly (readonly [string, string])[]): string {
  return `<dl>${facts.map(([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd>`).join('')}</dl>`;
}
