import { findJournal } from '../lib/apply/find-journal.ts';
import { type GuestInputs, readGuest } from '../lib/apply/guest.ts';
import { liveEntries, readState } from '../lib/apply/journal.ts';
import type { Journal } from '../lib/apply/journal-text.ts';
import { tellDifferences } from '../lib/apply/reconnect.ts';
import type { Report } from '../lib/apply/report.ts';
import { type WatchOrder, watchOrderOf } from '../lib/apply/watch-order.ts';
import { underLock } from '../lib/apply/watcher.ts';
import type { Host } from '../lib/host/host.ts';
import { readOnlineCpus } from '../lib/host/online-cpus.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import { type HookFolders, LOCK_WAIT_MS } from './hook-folders.ts';

/** A guest runs: just `started`, or found again by a daemon that came back (`reconnect`). */
export type RunningStage = 'started' | 'reconnect';

/**
 * What there is to watch of a guest that runs, or null; a reconnect tells what others have changed meanwhile. Changes nothing; what
 * goes wrong is told and is no failure, for that would end the guest.
 */
export async function lookAtRunning(
  host: Host,
  stage: RunningStage,
  guest: string,
  readXml: () => string,
  { configDir, stateDir }: HookFolders,
  report: Report,
): Promise<WatchOrder | null> {
  const { journals } = readState(host, stateDir);
  const inputs = inputsOf(host, configDir, guest, readXml, report);
  const journal = findJournal(journals, { guest, uuid: inputs?.domain?.uuid ?? null });
  if (journal === null) return null;
  if (stage === 'reconnect') {
    const lines: string[] = [];
    tellDifferences(host, journal, journals, { ...report, note: (line) => lines.push(line) });
    // What a release has given back in the meantime is no difference; it has the lock until it is done
    const isHeld = await underLock(host, stateDir, guest, LOCK_WAIT_MS, () =>
      readState(host, stateDir).journals.some((now) => isSame(now, journal)),
    );
    if (isHeld === true) for (const line of lines) report.note(line);
  }
  return inputs === null ? null : watchOrderOf(inputs, journal, readOnlineCpus(host));
}

/** The same prepare, and nothing of it given back. */
function isSame(one: Journal, other: Journal): boolean {
  if (one.path !== other.path || one.header.at !== other.header.at) return false;
  return liveEntries(one).length === liveEntries(other).length;
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
