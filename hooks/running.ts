import { findJournal } from '../lib/apply/find-journal.ts';
import { type GuestInputs, readGuest } from '../lib/apply/guest.ts';
import { readState } from '../lib/apply/journal.ts';
import { tellDifferences } from '../lib/apply/reconnect.ts';
import type { Report } from '../lib/apply/report.ts';
import { type WatchOrder, watchOrderOf } from '../lib/apply/watch-order.ts';
import type { Host } from '../lib/host/host.ts';
import { readOnlineCpus } from '../lib/host/online-cpus.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import type { HookFolders } from './hook-folders.ts';

/** A guest runs: just `started`, or found again by a daemon that came back (`reconnect`). */
export type RunningStage = 'started' | 'reconnect';

/**
 * What there is to watch of a guest that runs, or null; a reconnect tells what others have changed meanwhile. Takes no lock and changes
 * nothing; what goes wrong is told and is no failure, for that would end the guest.
 */
export function lookAtRunning(
  host: Host,
  stage: RunningStage,
  guest: string,
  readXml: () => string,
  { configDir, stateDir }: HookFolders,
  report: Report,
): WatchOrder | null {
  const { journals } = readState(host, stateDir);
  const inputs = inputsOf(host, configDir, guest, readXml, report);
  const journal = findJournal(journals, { guest, uuid: inputs?.domain?.uuid ?? null });
  if (journal === null) return null;
  if (stage === 'reconnect') tellDifferences(host, journal, journals, report);
  return inputs === null ? null : watchOrderOf(inputs, journal, readOnlineCpus(host));
}

/** Profile and domain; null where there is no profile any more, or one of them cannot be read. */
function inputsOf(
  host: Host,
  configDir: string,
  guest: string,
  readXml: () => string,
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
