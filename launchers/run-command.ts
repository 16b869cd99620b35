import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import { showRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { readPlannedRun } from './run-planned.ts';

/** `passqemu run <guest> --dry-run`: what would be taken and how QEMU would be started, or all reasons against it. */
export async function run(line: CommandLine, globals: Globals): Promise<number> {
  const planned = await readPlannedRun(line, globals);
  if (line.has('dry-run') || line.has('print-command')) return showRun(planned, planned.run.argv, globals);
  throw new UsageError(
    `Cannot start ${planned.run.guest}: this version only prints how it would be run`,
    'Give --dry-run',
  );
}
