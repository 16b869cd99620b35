import { recoverAll } from '../lib/apply/release.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { parseDurationMs } from '../lib/inputs/profile-values.ts';
import { forgetEnded } from '../lib/run/launch-record.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { LOCK_WAIT_MS } from './prepare.ts';
import { watchingReport } from './watching-report.ts';

/** `passqemu recover`: gives back what guests that no longer run hold; safe while others run. */
export async function recover(line: CommandLine, globals: Globals): Promise<number> {
  watchSignals();
  const word = line.value('wait');
  const waitMs = word === null ? LOCK_WAIT_MS : parseDurationMs(word);
  if (waitMs === null)
    throw new UsageError(`--wait is ${JSON.stringify(word)}, must be a duration with its unit, such as 20m`);
  const report = watchingReport(globals, 'all guests', 'recover');
  const { released, kept } = await recoverAll(globals.host, globals.stateDir, waitMs, report);
  forgetEnded(globals.host, globals.stateDir);
  if (globals.json) {
    globals.out(JSON.stringify({ released, kept }));
    return 0;
  }
  for (const guest of released) globals.out(`${guest} is released`);
  for (const { guest, why } of kept) globals.out(`${guest} was left alone: ${why}`);
  if (released.length + kept.length === 0) globals.out('Nothing is held');
  return 0;
}
