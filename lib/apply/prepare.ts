import type { Host } from '../host/host.ts';
import { kindOf } from '../steps/registry.ts';
import { RefusedError } from '../words/errors.ts';
import type { HeldStep, Plan } from '../words/step.ts';
import { applyPlan } from './apply.ts';
import { findJournal } from './find-journal.ts';
import {
  appendLine,
  createJournal,
  heldSteps,
  journalPath,
  liveEntries,
  readBootId,
  readCurrentState,
  readState,
} from './journal.ts';
import { JOURNAL_FORM, type Journal, type Owner } from './journal-text.ts';
import { isWaitedFor, whyRunning } from './owner.ts';
import { undoAndTell } from './release.ts';
import type { Report } from './report.ts';
import { settleJournals } from './settle.ts';
import { ensureStateFolder, takeLock } from './state-folder.ts';
import { withStory } from './story.ts';
import { writeSummary } from './summary.ts';
import { watchAgain } from './watch-again.ts';

export interface PrepareRequest {
  readonly stateDir: string;
  readonly guest: string;
  readonly uuid: string | null;
  readonly owner: Owner;
  readonly version: string;
  /** What the plan is made from (profile and domain), as one text. */
  readonly inputs: string;
  readonly lockWaitMs: number;
  /** Makes the plan from the host as it is now; called under the lock. Throws a RefusedError with all reasons. */
  plan(others: readonly Journal[]): Plan;
  /** The signal that asks us to stop, or null. */
  interrupted(): string | null;
}

/**
 * Takes what the guest's plan lists, all of it or nothing. A journal that the guest left behind is adopted where it was
 * prepared for the same inputs and nothing drifted, given back first where its owner is dead, and a refusal otherwise.
 */
export async function prepareGuest(
  host: Host,
  request: PrepareRequest,
  report: Report,
): Promise<'prepared' | 'adopted'> {
  const { stateDir, guest } = request;
  ensureStateFolder(host, stateDir);
  await takeLock(host, stateDir, `prepare of ${guest}`, request.lockWaitMs, report.note);
  let state = readCurrentState(host, stateDir);
  const unreadable = state.unreadable[0];
  if (unreadable !== undefined) {
    throw new RefusedError(
      `Cannot prepare ${guest}: the journal ${unreadable.path} cannot be read (${unreadable.why}), so what it holds is not known`,
      [],
      'See what that guest still has (passqemu devices), put it back by hand, then remove the file',
    );
  }
  await settleJournals(host, state.journals, report.note);
  const leftover = findJournal(state.journals, request);
  if (leftover !== null) {
    if (
      canAdopt(host, leftover, request, heldSteps(state.journals.filter((one) => one !== leftover)), report)
    ) {
      appendLine(host, leftover, { t: 'owner', owner: request.owner, at: host.now() });
      if (isWaitedFor(host, leftover)) await watchAgain(host, leftover, report.note);
      return 'adopted';
    }
    await releaseLeftover(host, stateDir, leftover, state.journals, report);
    state = readState(host, stateDir);
  }
  const path = journalPath(stateDir, guest);
  if (state.journals.some((journal) => journal.path === path)) {
    throw new RefusedError(
      `Cannot prepare ${guest}: ${path} belongs to another guest of the same name`,
      [],
      'Release it first (passqemu status)',
    );
  }
  const others = heldSteps(state.journals);
  const plan = request.plan(state.journals);
  for (const line of plan.notes) report.note(line);
  if (plan.steps.length === 0) return 'prepared';
  const header = {
    passqemu: JOURNAL_FORM,
    version: request.version,
    guest,
    uuid: request.uuid,
    bootId: readBootId(host),
    at: host.now(),
    inputs: request.inputs,
  } as const;
  const journal = createJournal(host, path, header, request.owner);
  try {
    const told = withStory(host, { stateDir, guest, operation: 'prepare' }, plan.steps, report);
    await applyPlan(host, plan, journal, others, told, request.interrupted);
  } finally {
    writeSummary(host, stateDir);
  }
  return 'prepared';
}

/** Whether the guest is prepared already, by hand, for exactly these inputs, and all of it is still so. */
function canAdopt(
  host: Host,
  journal: Journal,
  request: PrepareRequest,
  others: readonly HeldStep[],
  report: Report,
): boolean {
  if (!journal.ready || journal.pending !== null || journal.owner.kind !== 'person') return false;
  if (journal.header.inputs !== request.inputs || liveEntries(journal).length !== journal.entries.length)
    return false;
  const context = { host, guest: request.guest, others, note: report.note };
  return liveEntries(journal).every(
    ({ step, was, got }) => (kindOf(step).drift?.(step, was, got, context) ?? null) === null,
  );
}

async function releaseLeftover(
  host: Host,
  stateDir: string,
  leftover: Journal,
  all: readonly Journal[],
  report: Report,
): Promise<void> {
  const why = whyRunning(host, leftover);
  if (why !== null) {
    throw new RefusedError(
      `Cannot prepare ${leftover.header.guest}: it is prepared already and ${why}`,
      [],
      `Stop it, or run passqemu release ${leftover.header.guest}`,
    );
  }
  report.note(`Giving back first what an earlier start of ${leftover.header.guest} still holds`);
  await undoAndTell(host, stateDir, leftover, all, report);
}
