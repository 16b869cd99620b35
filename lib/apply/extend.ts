import type { Host } from '../host/host.ts';
import { RefusedError, ReleaseError } from '../words/errors.ts';
import type { Plan, Step } from '../words/step.ts';
import { applyMore } from './apply.ts';
import { findJournal } from './find-journal.ts';
import {
  appendLine,
  createJournal,
  heldSteps,
  journalPath,
  readBootId,
  readCurrentState,
  readState,
} from './journal.ts';
import { JOURNAL_FORM, type Journal, type Owner } from './journal-text.ts';
import type { Report } from './report.ts';
import { settleJournals } from './settle.ts';
import { ensureStateFolder, takeLock } from './state-folder.ts';
import { writeSummary } from './summary.ts';
import { undoEntries } from './undo.ts';

export interface ExtendRequest {
  readonly stateDir: string;
  readonly guest: string;
  /** Who holds what a guest without a journal takes now. */
  readonly owner: Owner;
  readonly version: string;
  readonly lockWaitMs: number;
  /** Makes the steps from the host as it is now; called under the lock, with all that is held, by this guest too. */
  plan(journals: readonly Journal[]): Plan['steps'];
  interrupted(): string | null;
}

/**
 * Takes something more for a guest that runs: its journal grows, so that its release gives this back as well. Where it fails, what it
 * held before stays as it is.
 */
export async function extendGuest(host: Host, request: ExtendRequest, report: Report): Promise<void> {
  const { stateDir, guest } = request;
  const state = await openState(host, request, `attach to ${guest}`, report);
  const known = findJournal(state, { guest, uuid: null });
  if (known !== null && (!known.ready || known.pending !== null)) {
    throw new RefusedError(`Cannot give ${guest} more: it is just being prepared or released`, []);
  }
  const others = heldSteps(state.filter((journal) => journal !== known));
  const steps = request.plan(state);
  if (steps.length === 0) return;
  const journal = known ?? newJournal(host, request);
  try {
    await applyMore(host, steps, journal, others, report, request.interrupted);
  } catch (error) {
    // A journal that was made for this alone must not stay without a step
    if (known === null && heldSteps([journal]).length === 0) host.remove(journal.path);
    throw error;
  } finally {
    writeSummary(host, stateDir);
  }
}

/** Gives some of what a running guest holds back, and keeps the rest; throws a ReleaseError that lists what is not back. */
export async function shrinkGuest(
  host: Host,
  request: Pick<ExtendRequest, 'stateDir' | 'guest' | 'lockWaitMs'>,
  isMeant: (step: Step) => boolean,
  report: Report,
): Promise<'given back' | 'nothing held'> {
  const { stateDir, guest } = request;
  const state = await openState(host, request, `detach from ${guest}`, report);
  const journal = findJournal(state, { guest, uuid: null });
  const meant = heldSteps(journal === null ? [] : [journal]).filter(({ step }) => isMeant(step));
  if (journal === null || meant.length === 0) return 'nothing held';
  const others = heldSteps(state.filter((other) => other !== journal));
  const left = await undoEntries(host, journal, others, report, ({ step }) => isMeant(step));
  if (left.length === 0 && heldSteps([journal]).length === 0) {
    writeSummary(host, stateDir, journal.path);
    host.remove(journal.path);
  } else {
    writeSummary(host, stateDir);
  }
  if (left.length > 0) {
    throw new ReleaseError(
      `Cannot give everything back: ${left.join('; ')}`,
      left,
      `passqemu release ${guest} tries again when the guest has ended`,
    );
  }
  return 'given back';
}

async function openState(
  host: Host,
  { stateDir, lockWaitMs }: Pick<ExtendRequest, 'stateDir' | 'lockWaitMs'>,
  what: string,
  report: Report,
): Promise<readonly Journal[]> {
  ensureStateFolder(host, stateDir);
  await takeLock(host, stateDir, what, lockWaitMs, report.note);
  const unreadable = readState(host, stateDir).unreadable[0];
  if (unreadable !== undefined) {
    throw new RefusedError(
      `Cannot ${what}: the journal ${unreadable.path} cannot be read (${unreadable.why}), so what it holds is not known`,
      [],
    );
  }
  const { journals } = readCurrentState(host, stateDir);
  await settleJournals(host, journals, report.note);
  return journals;
}

/** The journal of a guest that has held nothing so far; ready, because the guest runs. */
function newJournal(host: Host, { stateDir, guest, owner, version }: ExtendRequest): Journal {
  const header = {
    passqemu: JOURNAL_FORM,
    version,
    guest,
    uuid: null,
    bootId: readBootId(host),
    at: host.now(),
    inputs: '',
  } as const;
  const journal = createJournal(host, journalPath(stateDir, guest), header, owner);
  appendLine(host, journal, { t: 'ready' });
  return journal;
}
