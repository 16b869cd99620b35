import { type Finding, type Status, THEMES, type Theme } from '../lib/doctor/finding.ts';
import { painter } from './paint.ts';

const HEADINGS: Readonly<Record<Theme, string>> = {
  processor: 'Processor',
  iommu: 'IOMMU',
  groups: 'IOMMU groups',
  vfio: 'VFIO',
  gpu: 'Graphics cards',
  firmware: 'Firmware',
  kvm: 'KVM',
  libvirt: 'libvirt and the hook',
  memory: 'Memory',
  cpus: 'CPUs',
  power: 'Power',
  guest: 'Guest',
};

const MARKS: Readonly<Record<Status, string>> = { fail: '✗', warn: '!', unknown: '?', ok: '✓' };
const COLOURS: Readonly<Record<Status, number>> = { fail: 31, warn: 33, unknown: 36, ok: 32 };
const ORDER: readonly Status[] = ['fail', 'warn', 'unknown', 'ok'];
const WIDTH = 100;

/** The findings for people: what fails first, then a line for each theme, then what else is to be told, by theme. */
export function formatFindings(
  findings: readonly Finding[],
  { colour, verbose }: { readonly colour: boolean; readonly verbose: boolean },
): string {
  const paint = painter(colour);
  const mark = (status: Status) => paint(COLOURS[status], MARKS[status]);
  const tell = (finding: Finding, whole: boolean): string[] => {
    const { id, status, summary, detail, remedy } = finding;
    const lines = [`  ${mark(status)} ${summary}  ${paint(2, id)}`];
    if (whole) lines.push(...wrap(detail, '      ').map((line) => paint(2, line)));
    if (remedy !== null) lines.push(...wrap(`→ ${remedy}`, '      '));
    return lines;
  };
  const count = (status: Status, among: readonly Finding[] = findings) =>
    among.filter((finding) => finding.status === status).length;

  const blocks: string[][] = [];
  const failed = findings.filter(({ status }) => status === 'fail');
  if (failed.length > 0) {
    const head = paint(
      1,
      failed.length === 1 ? 'This stands in the way:' : `These ${failed.length} stand in the way:`,
    );
    blocks.push([head, ...failed.flatMap((finding) => tell(finding, true))]);
  }
  for (const theme of THEMES) {
    const own = findings.filter((finding) => finding.theme === theme);
    if (own.length === 0) continue;
    const said = ORDER.filter((status) => count(status, own) > 0).map(
      (status) => `${mark(status)} ${count(status, own)}`,
    );
    const shown = own
      .filter(({ status }) => verbose || status === 'warn' || status === 'unknown')
      .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
    blocks.push([
      `${paint(1, HEADINGS[theme])}  ${said.join('  ')}`,
      ...shown.flatMap((finding) => tell(finding, verbose || finding.status === 'warn')),
    ]);
  }
  const total = `${count('fail')} fail, ${count('warn')} warn, ${count('unknown')} could not be looked at, ${count('ok')} ok`;
  blocks.push([paint(1, total) + (verbose ? '' : '  (-v shows all)')]);
  return blocks.map((block) => block.join('\n')).join('\n\n');
}

/** Breaks a text at blanks. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length >= WIDTH && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines;
}
