import type { Host } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import { kindOf } from '../steps/registry.ts';
import type { StepContext } from '../steps/step-kind.ts';
import { HostError, PassqemuError } from '../words/errors.ts';
import type { HeldStep } from '../words/step.ts';
import { appendLine, heldSteps, liveEntries } from './journal.ts';
import type { Journal, JournalEntry } from './journal-text.ts';
import type { Report } from './report.ts';
import { markWedged } from './settle.ts';
import { writeSummary } from './summary.ts';
import { tellSlow } from './tell-slow.ts';

/**
 * Plays a journal backwards. It never stops at the first error: what failed stays in the journal and is listed in the
 * answer. An empty answer means that everything is back and the journal file is gone.
 */
export async function undoJournal(
  host: Host,
  journal: Journal,
  others: readonly HeldStep[],
  report: Report,
): Promise<string[]> {
  const left = await undoEntries(host, journal, others, report, () => true);
  if (left.length === 0) {
    // The summary first: a journal whose steps are all undone is found and removed by the next call, a stale summary is not
    writeSummary(host, journal.path.slice(0, journal.path.lastIndexOf('/')), journal.path);
    host.remove(journal.path);
  }
  return left;
}

/** The same for some of a journal's steps; the others stay in force. */
export async function undoEntries(
  host: Host,
  journal: Journal,
  others: readonly HeldStep[],
  report: Report,
  isMeant: (entry: JournalEntry) => boolean,
): Promise<string[]> {
  const left: string[] = [];
  let unexpected: unknown = null;
  for (const entry of liveEntries(journal).filter(isMeant).reverse()) {
    const own = heldSteps([journal]);
    const context: StepContext = { host, guest: journal.header.guest, others, own, note: report.note };
    const words = kindOf(entry.step).describeUndo(entry.step, entry.was);
    const begun = host.now();
    try {
      await tellSlow(host, entry.step, words, context, (told) => undoEntry(host, journal, entry, told));
      report.step('undone', words, host.now() - begun);
    } catch (error) {
      // A fault of our own in one step is no reason to leave the others
      if (!(error instanceof PassqemuError)) unexpected ??= error;
      const why = `${words}: ${(error as Error).message}`;
      left.push(why);
      report.step('not undone', why, host.now() - begun);
    }
  }
  if (unexpected !== null) throw unexpected;
  return left;
}

async function undoEntry(
  host: Host,
  journal: Journal,
  entry: JournalEntry,
  context: StepContext,
): Promise<void> {
  const kind = kindOf(entry.step);
  if (entry.wedged !== undefined && isRunning(host, entry.wedged.writer)) {
    throw new HostError(
      `the kernel has still not answered an earlier write (process ${entry.wedged.writer.pid}: ${entry.wedged.seen || 'no more is known'})`,
      { hint: 'If what holds the device cannot be stopped, only a reboot brings it back' },
    );
  }
  if (kind.writesSlowly) noteWriter(host, journal);
  if (kind.settleUndo !== undefined) {
    remember(host, journal, { t: 'undoing', i: entry.index, mark: kind.observe(entry.step, context) });
  }
  try {
    await kind.undo(entry.step, entry.was, entry.got, context);
  } catch (error) {
    if (kind.writesSlowly && isTimeOut(error)) wedge(host, journal, entry);
    if (kind.settleUndo !== undefined && entry.undoing !== undefined && entry.got !== undefined) {
      const got = kind.settleUndo(entry.step, entry.was, entry.got, entry.undoing, context);
      remember(host, journal, { t: 'did', i: entry.index, got });
    }
    throw error;
  }
  remember(host, journal, { t: 'undone', i: entry.index });
}

/** Names the writer process in the journal before it gets its first order, so that a later process waits for it. */
export function noteWriter(host: Host, journal: Journal): void {
  const writer = host.startWriter();
  const known = journal.writers.some((one) => one.pid === writer.pid && one.startTicks === writer.startTicks);
  if (!known) remember(host, journal, { t: 'writer', ...writer });
}

export function isTimeOut(error: unknown): boolean {
  return error instanceof HostError && error.code === 'ETIMEDOUT';
}

export function wedge(host: Host, journal: Journal, entry: JournalEntry): void {
  const writer = journal.writers.at(-1);
  if (writer !== undefined) markWedged(host, journal, entry, writer);
}

/** Undo goes on even where its own notes cannot be written: every kind's undo is safe twice. */
function remember(host: Host, journal: Journal, line: Parameters<typeof appendLine>[2]): void {
  try {
    appendLine(host, journal, line);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    host.log('warning', `${journal.path}: ${error.message}`);
  }
}
