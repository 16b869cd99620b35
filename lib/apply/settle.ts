import type { Host } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import { kindOf } from '../steps/registry.ts';
import type { StepContext } from '../steps/step-kind.ts';
import { waitUntil } from '../steps/wait-until.ts';
import { appendLine, heldSteps, liveEntries } from './journal.ts';
import type { Journal, JournalEntry } from './journal-text.ts';

/** How long the last write of a killed process may still go on. */
const LAST_WRITE_MS = 5_000;

/**
 * Makes the memory of journals whose process was killed exact, before anything else changes: waits for the write that
 * its writer may still be carrying out, and asks the relative kinds (page pools) how far the cut-short step had come.
 * Every process does this first when it has the lock.
 */
export async function settleJournals(
  host: Host,
  journals: readonly Journal[],
  note: (line: string) => void,
): Promise<void> {
  for (const journal of journals) {
    await settleWriters(host, journal);
    const others = heldSteps(journals.filter((other) => other !== journal));
    settleJournal(journal, { host, guest: journal.header.guest, others, note });
  }
}

/** The same for one journal whose writer is known to be idle: our own, when a step of it has failed. */
export function settleJournal(journal: Journal, context: StepContext): void {
  for (const entry of liveEntries(journal)) {
    const kind = kindOf(entry.step);
    if (entry.undoing !== undefined && entry.got !== undefined && kind.settleUndo !== undefined) {
      const got = kind.settleUndo(entry.step, entry.was, entry.got, entry.undoing, context);
      appendLine(context.host, journal, { t: 'did', i: entry.index, got });
    } else if (entry.got === undefined && kind.settle !== undefined) {
      appendLine(context.host, journal, {
        t: 'did',
        i: entry.index,
        got: kind.settle(entry.step, entry.was, context),
      });
    }
  }
}

/** Waits for the writers of a dead process; one that does not end means that the kernel holds the device. */
async function settleWriters(host: Host, journal: Journal): Promise<void> {
  // One that is known to wait has been waited for
  const known = new Set(liveEntries(journal).map(({ wedged }) => wedged?.writer.pid));
  const live = () => journal.writers.filter((writer) => !known.has(writer.pid) && isRunning(host, writer));
  if (await waitUntil(host, LAST_WRITE_MS, () => live().length === 0)) return;
  const last = liveEntries(journal).findLast((entry) => kindOf(entry.step).writesSlowly);
  const writer = live()[0];
  if (last !== undefined && writer !== undefined && last.wedged === undefined)
    markWedged(host, journal, last, writer);
}

/** Writes down that the kernel has not answered, with what it shows of the waiting writer. */
export function markWedged(
  host: Host,
  journal: Journal,
  entry: JournalEntry,
  writer: Journal['writers'][number],
): void {
  const show = (name: string) =>
    host.readOptional(`/proc/${writer.pid}/${name}`)?.split('\n').slice(0, 4).join(' < ');
  const seen = [show('wchan'), show('stack')]
    .filter((text) => text)
    .join('; ')
    .slice(0, 180);
  appendLine(host, journal, { t: 'wedged', i: entry.index, writer, seen });
}
