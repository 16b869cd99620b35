import { findJournal } from '../lib/apply/find-journal.ts';
import { type GuestInputs, readGuest } from '../lib/apply/guest.ts';
import { readState } from '../lib/apply/journal.ts';
import { tellDifferences } from '../lib/apply/reconnect.ts';
import type { Report } from '../lib/apply/report.ts';
import { startWatcher, type WatchProgram } from '../lib/apply/start-watcher.ts';
import type { Host } from '../lib/host/host.ts';
import { PassqemuError } from '../lib/words/errors.ts';

export interface RunningGuest {
  readonly guest: string;
  readonly configDir: string;
  readonly stateDir: string;
  readonly readXml: () => string;
  /** How a watcher is started; null: none is. */
  readonly watchProgram: WatchProgram | null;
}

/**
 * A guest runs: just `started`, or found again by a daemon that came back (`reconnect`). Takes no lock and changes nothing; what
 * goes wrong is told and is no failure, for that would end the guest.
 */
export function attend(host: Host, stage: 'started' | 'reconnect', one: RunningGuest, report: Report): void {
  const { journals } = readState(host, one.stateDir);
  const inputs = inputsOf(host, one, report);
  const journal = findJournal(journals, { guest: one.guest, uuid: inputs?.domain?.uuid ?? null });
  if (journal === null) return;
  if (stage === 'reconnect') tellDifferences(host, journal, journals, report);
  if (inputs === null || one.watchProgram === null || !journal.ready || journal.pending !== null) return;
  const begun = host.now();
  const pid = startWatcher(host, inputs, journal, one.watchProgram);
  if (pid !== null)
    report.step('done', `start the watcher of interrupts (process ${pid})`, host.now() - begun);
}

/** Profile and domain; null where there is no profile any more, or one of them cannot be read. */
function inputsOf(
  host: Host,
  { guest, configDir, readXml }: RunningGuest,
  report: Report,
): GuestInputs | null {
  try {
    const inputs = readGuest(host, configDir, guest, readXml);
    return inputs !== null && inputs.domain !== null && inputs.domain.name !== guest ? null : inputs;
  } catch (error) {
    if (!(error instanceof PassqemuError)) throw error;
    report.note(error.message);
    return null;
  }
}
