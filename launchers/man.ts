import { UsageError } from '../lib/words/errors.ts';
import { nearestName } from '../lib/words/nearest-name.ts';
import type { Manual } from './command.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { formatCommandPage, formatOverviewPage } from './man-command.ts';
import { formatProfilePage } from './man-profile.ts';

/** A manual page as man(1) reads it. */
export interface ManPage {
  /** "passqemu-pin.1". */
  readonly file: string;
  readonly text: string;
}

/** `passqemu man [command|profile]`: prints a manual page, for `man -l -`; with --json all of them. */
export async function man(line: CommandLine, globals: Globals, manual: Manual): Promise<number> {
  const pages = manPages(manual);
  const wanted = line.words[0] ?? null;
  if (globals.json) globals.out(JSON.stringify(pages, null, 2));
  else globals.out(findPage(pages, wanted, manual).text.trimEnd());
  return 0;
}

/** Every page: the overview, one a command, the profile's. */
export function manPages({ commands, options }: Manual): ManPage[] {
  return [
    { file: 'passqemu.1', text: formatOverviewPage(commands, options) },
    ...commands.map((command) => ({
      file: `passqemu-${command.name}.1`,
      text: formatCommandPage(command, options),
    })),
    { file: 'passqemu-profile.5', text: formatProfilePage() },
  ];
}

function findPage(pages: readonly ManPage[], wanted: string | null, { commands }: Manual): ManPage {
  const file =
    wanted === null ? 'passqemu.1' : wanted === 'profile' ? 'passqemu-profile.5' : `passqemu-${wanted}.1`;
  const page = pages.find((one) => one.file === file);
  if (page !== undefined) return page;
  const near = nearestName(wanted ?? '', [...commands.map(({ name }) => name), 'profile']);
  throw new UsageError(
    `Cannot show a manual page of ${JSON.stringify(wanted)}: there is none`,
    near === null ? 'passqemu man profile shows the one of profiles' : `Did you mean ${near}?`,
  );
}
