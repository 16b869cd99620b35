import { formatCpuList } from '../lib/words/cpu-list.ts';
import { escapeMarkup } from './markup.ts';
import {
  type DrawnCore,
  type DrawnGroup,
  type DrawnNode,
  groupTopology,
  guestLetters,
} from './topology-groups.ts';
import type { TopologyReport } from './topology-report.ts';
import { describeNode, headline } from './topology-text.ts';

const CELL = { width: 42, height: 24, gap: 3 };
const CORE_GAP = 8;
const PAD = 12;
const LINE = 20;
/** About how wide a letter is. */
const LETTER = 8;
const COLOURS = 6;

/**
 * The machine's processors as one SVG image: a box for each node, a row for each cache, a box for each core with its CPUs in it,
 * and the letter of the guest that has them. It has a title and a description, no script, and follows light and dark.
 */
export function formatTopologySvg(report: TopologyReport, width = 640): string {
  const parts: string[] = [];
  let y = PAD;
  const text = (x: number, at: number, words: string, kind = 'ink') =>
    parts.push(`<text class="${kind}" x="${x}" y="${at}">${escapeMarkup(words)}</text>`);
  text(PAD, y + 14, headline(report), 'strong');
  y += LINE + 8;
  for (const drawn of groupTopology(report)) {
    const { markup, height } = drawNode(drawn, report, y, width);
    parts.push(markup);
    y += height + PAD;
  }
  for (const [words, mark] of legendOf(report)) {
    if (mark !== null)
      parts.push(`<rect class="cpu ${mark}" x="${PAD}" y="${y + 3}" width="14" height="14" rx="3"/>`);
    for (const line of wrap(words, (width - 2 * PAD - 22) / LETTER)) {
      text(mark === null ? PAD : PAD + 22, y + 15, line);
      y += LINE;
    }
  }
  const height = y + PAD;
  return [
    `<svg class="passqemu-cpus" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="passqemu-cpus-title" aria-describedby="passqemu-cpus-text">`,
    `<title id="passqemu-cpus-title">The machine’s CPUs</title>`,
    `<desc id="passqemu-cpus-text">${escapeMarkup(describe(report))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...parts,
    '</svg>',
  ].join('\n');
}

interface Drawn {
  readonly markup: string;
  readonly height: number;
}

function drawNode({ node, groups }: DrawnNode, report: TopologyReport, top: number, width: number): Drawn {
  const inner: string[] = [];
  let y = top + 8;
  const title =
    node === null ? 'On no node that is told' : `Node ${node.id}: ${describeNode(node, report.nodes)}`;
  for (const line of wrap(title, (width - 4 * PAD) / LETTER)) {
    inner.push(`<text class="strong" x="${2 * PAD}" y="${y + 14}">${escapeMarkup(line)}</text>`);
    y += LINE;
  }
  for (const group of groups) {
    const { markup, height } = drawGroup(group, y, report, width);
    inner.push(markup);
    y += height;
  }
  const height = y - top + 8;
  const box = `<rect class="node" x="${PAD}" y="${top}" width="${width - 2 * PAD}" height="${height}" rx="8"/>`;
  return { markup: [box, ...inner].join('\n'), height };
}

function drawGroup(
  { place, facts, cores }: DrawnGroup,
  top: number,
  report: TopologyReport,
  fullWidth: number,
): Drawn {
  const left = 2 * PAD;
  const parts: string[] = [];
  let y = top;
  const words = [place, facts].filter((one) => one !== '').join(' · ');
  for (const line of words === '' ? [] : wrap(words, (fullWidth - 4 * PAD) / LETTER)) {
    parts.push(`<text class="faint" x="${left}" y="${y + 14}">${escapeMarkup(line)}</text>`);
    y += LINE;
  }
  // Rows of equal length: eight cores are two rows of four, not five and three
  const widest = Math.max(...cores.map((core) => coreWidth(core))) + CORE_GAP;
  const fitting = Math.max(1, Math.floor((fullWidth - 4 * PAD + CORE_GAP) / widest));
  const inRow = Math.ceil(cores.length / Math.ceil(cores.length / fitting));
  let x = left;
  for (const [at, core] of cores.entries()) {
    const perRow = Math.min(core.length, 8);
    const width = coreWidth(core);
    const height = Math.ceil(core.length / perRow) * (CELL.height + CELL.gap) + CELL.gap;
    if (at > 0 && at % inRow === 0) {
      x = left;
      y += height + CORE_GAP;
    }
    parts.push(drawCore(core, { x, y, width, height, perRow }, report));
    x += width + CORE_GAP;
  }
  const last = cores.at(-1)?.length ?? 1;
  const lastHeight = Math.ceil(last / 8) * (CELL.height + CELL.gap) + CELL.gap;
  return { markup: parts.join('\n'), height: y - top + lastHeight + CORE_GAP };
}

function coreWidth(core: DrawnCore): number {
  return Math.min(core.length, 8) * (CELL.width + CELL.gap) + CELL.gap;
}

function drawCore(
  core: DrawnCore,
  box: { x: number; y: number; width: number; height: number; perRow: number },
  report: TopologyReport,
): string {
  const letters = guestLetters(report).map(({ letter }) => letter);
  const cells = core.map(({ id, isolated, guest }, index) => {
    const x = box.x + CELL.gap + (index % box.perRow) * (CELL.width + CELL.gap);
    const y = box.y + CELL.gap + Math.floor(index / box.perRow) * (CELL.height + CELL.gap);
    const kind = guest !== null ? ` guest${letters.indexOf(guest) % COLOURS}` : isolated ? ' isolated' : '';
    const mark = guest ?? (isolated ? '!' : null);
    const label = mark === null ? `${id}` : `${id} ${mark}`;
    return (
      `<rect class="cpu${kind}" x="${x}" y="${y}" width="${CELL.width}" height="${CELL.height}" rx="4"/>` +
      `<text class="number" x="${x + CELL.width / 2}" y="${y + 16}">${label}</text>`
    );
  });
  return `<rect class="core" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="6"/>\n${cells.join('\n')}`;
}

function legendOf(report: TopologyReport): [words: string, mark: string | null][] {
  const offline = report.cpus.filter(({ online }) => !online).map(({ id }) => id);
  return [
    ...guestLetters(report).map(({ letter, guest, cpus }, at): [string, string] => [
      `${letter}: guest ${guest}, CPUs ${cpus}`,
      `guest${at % COLOURS}`,
    ]),
    ...(report.isolated === ''
      ? []
      : [[`!: isolated at boot (isolcpus), CPUs ${report.isolated}`, 'isolated'] as [string, string]]),
    ...(report.nohzFull === ''
      ? []
      : [[`Without timer ticks (nohz_full): CPUs ${report.nohzFull}`, null] as [string, null]]),
    ...(offline.length === 0 ? [] : [[`Offline: CPUs ${formatCpuList(offline)}`, null] as [string, null]]),
  ];
}

/** The picture in words, for who cannot see it. */
function describe(report: TopologyReport): string {
  return [
    headline(report),
    ...report.nodes.map((node) => `Node ${node.id}: ${describeNode(node, report.nodes)}`),
    ...legendOf(report).map(([words]) => words),
  ].join('. ');
}

/** No piece of a word is longer than the narrowest line. */
const LONG_WORD = /.{1,30}/gs;

function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.split(/(?<=[ ,])/).flatMap((word) => word.match(LONG_WORD) ?? []);
  for (const word of words) {
    if (line !== '' && line.length + word.length > most) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
  }
  return [...lines, line.trimEnd()];
}

const STYLE = `
.passqemu-cpus{--ground:#fff;--ink:#1a1f24;--faint:#4d565e;--line:#8b959e;--box:#f5f7f9;--cpu:#e4e8ec;--isolated:#f5e0a3;--g0:#a8d5ff;--g1:#b9e6b3;--g2:#ffcfa6;--g3:#e6c4f7;--g4:#a9e8e0;--g5:#ffc2cc;max-width:100%;height:auto;font:13px system-ui,sans-serif}
@media screen and (prefers-color-scheme:dark){.passqemu-cpus{--ground:#14181c;--ink:#eef2f5;--faint:#b3bdc6;--line:#6d7780;--box:#1c2227;--cpu:#2b333a;--isolated:#5c4a12;--g0:#0b4a80;--g1:#1f5a1a;--g2:#7a3d06;--g3:#5b2f73;--g4:#0c5a52;--g5:#7a2333}}
.passqemu-cpus .ground{fill:var(--ground)}.passqemu-cpus text{fill:var(--ink)}.passqemu-cpus .faint{fill:var(--faint)}.passqemu-cpus .strong{font-weight:600}.passqemu-cpus .number{text-anchor:middle;font-size:12px}
.passqemu-cpus .node{fill:var(--box);stroke:var(--line)}.passqemu-cpus .core{fill:none;stroke:var(--line)}.passqemu-cpus .cpu{fill:var(--cpu)}.passqemu-cpus .isolated{fill:var(--isolated)}
${Array.from({ length: COLOURS }, (_, at) => `.passqemu-cpus .guest${at}{fill:var(--g${at})}`).join('')}
`;
