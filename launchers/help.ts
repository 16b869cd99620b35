import { VERSION } from '../lib/words/version.ts';
import type { Command } from './command.ts';
import type { OptionSpec } from './command-line.ts';

/** The overview of all commands. */
export function formatOverview(commands: readonly Command[], options: readonly OptionSpec[]): string {
  const rows = commands.map(({ name, words, summary }) => [`  ${name} ${words}`.trimEnd(), summary] as const);
  return [
    `passqemu ${VERSION}: gives PCI devices, memory and CPUs to a virtual machine, and takes them back exactly as they were`,
    '',
    'Usage: passqemu <command> [options]',
    '',
    'Commands:',
    columns(rows),
    '',
    'Options of every command:',
    columns(options.map(optionRow)),
    '',
    'Exit status: 0 done; 1 refused or failed, the host is as it was; 2 bad usage, profile or XML; 3 something is not back.',
    'passqemu <command> --help tells more.',
  ].join('\n');
}

/** The help of one command. */
export function formatCommandHelp(command: Command, globals: readonly OptionSpec[]): string {
  const usage = ['Usage: passqemu', command.name, command.words, '[options]']
    .filter((word) => word !== '')
    .join(' ');
  const summary = `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`;
  const own = command.options.length === 0 ? [] : ['', 'Options:', columns(command.options.map(optionRow))];
  return [usage, '', summary, ...own, '', 'Options of every command:', columns(globals.map(optionRow))].join(
    '\n',
  );
}

function optionRow({ name, short, value, help }: OptionSpec): readonly [string, string] {
  const dash = short === undefined ? '    ' : `-${short}, `;
  return [`  ${dash}--${name}${value === undefined ? '' : ` ${value}`}`, help];
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(44, Math.max(...rows.map(([left]) => left.length)) + 2);
  return rows
    .map(([left, right]) =>
      left.length >= width ? `${left}\n${' '.repeat(width)}${right}` : left.padEnd(width) + right,
    )
    .join('\n');
}
