import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { type CallProcesses, isExpected } from './in-lab.ts';
import { isKept, type Measured } from './measured.ts';

/** A heading and what was measured below it. */
export interface Section {
  readonly title: string;
  readonly measured: readonly Measured[];
  readonly processes: readonly CallProcesses[];
}

/** Whether every bound of the section is kept. */
export function isSectionKept({ measured, processes }: Section): boolean {
  return measured.every(isKept) && processes.every(isExpected);
}

/** A section as Markdown: it is read in a terminal as well. */
export function formatSection({ title, measured, processes }: Section): string {
  const rows = measured.map((one) => {
    const { ratio, bound } = one;
    const limit = bound === null ? '–' : `${formatRatio(bound)}${isKept(one) ? '' : ' **missed**'}`;
    const spread = `${formatRatio(ratio.lower)}–${formatRatio(ratio.upper)}`;
    return `| ${one.what} | ${formatRatio(ratio.median)} | ${spread} | ${limit} | ${one.note} |`;
  });
  const calls = processes.map((one) => {
    const list = one.programs.map((program) => `\`${program}\``).join(', ');
    return `| ${one.call} | ${one.forks} | ${list} | ${isExpected(one) ? 'yes' : `**no**, expected ${one.expected.forks}: ${one.expected.programs.join(', ')}`} |`;
  });
  return [
    `### ${title}`,
    '',
    ...(rows.length === 0
      ? []
      : [
          '| what, to what | median ratio | quartiles | at most | times (medians) |',
          '|---|---|---|---|---|',
          ...rows,
          '',
        ]),
    ...(calls.length === 0
      ? []
      : ['| call | forks | programs started | as allowed |', '|---|---|---|---|', ...calls, '']),
  ].join('\n');
}

/** The machine in general terms, and the day. */
export function describeMachine(): string {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  const kernel = os.release().split('-')[0];
  return `${os.cpus().length} CPUs (${model}), Linux ${kernel}, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}. Lab machines are emulated (TCG) and compare only with themselves.`;
}

const BEGIN = '<!-- bench -->';
const END = '<!-- end -->';

/** Puts a text between the markers of a file. */
export function replaceBetweenMarkers(file: string, text: string): void {
  const before = readFileSync(file, 'utf8');
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`${file} lacks its markers ${BEGIN} and ${END}`);
  writeFileSync(file, `${before.slice(0, begin + BEGIN.length)}\n${text}\n${before.slice(end)}`);
}

function formatRatio(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
