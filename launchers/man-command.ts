import type { Command } from './command.ts';
import type { OptionSpec } from './command-line.ts';
import { escapeRoff, formatHead, formatSection, formatTagged } from './man-roff.ts';

/** The overview: passqemu(1). */
export function formatOverviewPage(commands: readonly Command[], options: readonly OptionSpec[]): string {
  return page(
    formatHead('passqemu', 1, 'gives PCI devices, memory and CPUs to a virtual machine, and takes them back'),
    ['.SH SYNOPSIS', '.B passqemu', '\\fIcommand\\fR [\\fIoptions\\fR]'],
    formatSection(
      'DESCRIPTION',
      'What a guest needs is taken from the host when it starts, and given back exactly as it was when it stops, by the hook of libvirt or by hand. Each command has a page of its own: passqemu-COMMAND(1).',
    ),
    [
      '.SH COMMANDS',
      ...commands.flatMap(({ name, words, summary }) =>
        formatTagged(`${name} ${words}`.trim(), `${summary}.`),
      ),
    ],
    formatOptions('OPTIONS OF EVERY COMMAND', options),
    EXIT,
    FILES,
    formatSection('SEE ALSO', 'passqemu-profile(5), virsh(1), qemu-system-x86_64(1)'),
  );
}

/** The page of one command: passqemu-pin(1). */
export function formatCommandPage(command: Command, options: readonly OptionSpec[]): string {
  const { name, words, summary } = command;
  return page(
    formatHead(`passqemu-${name}`, 1, summary),
    [
      '.SH SYNOPSIS',
      `.B passqemu ${name}`,
      `${escapeRoff(words)}${words === '' ? '' : ' '}[\\fIoptions\\fR]`,
    ],
    formatSection('DESCRIPTION', `${summary[0]?.toUpperCase()}${summary.slice(1)}.`, changesText(command)),
    command.options.length === 0 ? [] : formatOptions('OPTIONS', command.options),
    formatOptions('OPTIONS OF EVERY COMMAND', options),
    EXIT,
    formatSection('SEE ALSO', 'passqemu(1), passqemu-profile(5)'),
  );
}

function changesText({ changes }: Command): string {
  return changes
    ? 'It changes the host, so with --sysroot it is refused unless --state-dir is given too.'
    : 'It changes nothing, and works as an ordinary user as far as that one may look.';
}

function formatOptions(heading: string, options: readonly OptionSpec[]): string[] {
  return [
    `.SH ${heading}`,
    ...options.flatMap(({ name, short, value, help }) =>
      formatTagged(
        `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
        `${help}.`,
      ),
    ),
  ];
}

const EXIT = [
  '.SH EXIT STATUS',
  ...formatTagged('0', 'Done.'),
  ...formatTagged('1', 'Refused or failed, and the host is as it was; doctor: a check fails.'),
  ...formatTagged('2', 'Bad usage, profile or XML: nothing was tried.'),
  ...formatTagged('3', 'Something could not be put back; the message lists it.'),
];

const FILES = [
  '.SH FILES',
  ...formatTagged('/etc/passqemu/GUEST.ini', 'The profile of a guest: passqemu-profile(5).'),
  ...formatTagged('/run/passqemu/', 'What guests hold now, for undoing it.'),
];

function page(...parts: readonly (readonly string[])[]): string {
  return `${parts.flat().join('\n')}\n`;
}
