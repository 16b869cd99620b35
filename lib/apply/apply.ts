import type { Host } from '../host/host.ts';
import { kindOf } from '../steps/registry.ts';
import type { StepContext } from '../steps/step-kind.ts';
import { HostError, ReleaseError } from '../words/errors.ts';
import type { HeldStep, Plan } from '../words/step.ts';
import { appendLine } from './journal.ts';
import type { Journal } from './journal-text.ts';
import type { Report } from './report.ts';
import { settleJournal } from './settle.ts';
import { tellSlow } from './tell-slow.ts';
import { isTimeOut, noteWriter, undoEntries, undoJournal, wedge } from './undo.ts';

/**
 * Carries out a plan step by step: observe, remember on disk, act, look. When a step fails, or `interrupted` says that
 * somebody wants us to stop, everything done so far is undone before the cause is thrown.
 */
export async function applyPlan(
  host: Host,
  plan: Plan,
  journal: Journal,
  others: readonly HeldStep[],
  report: Report,
  interrupted: () => string | null,
): Promise<void> {
  const context: StepContext = { host, guest: plan.guest, others, note: report.note };
  try {
    for (const [index, step] of plan.steps.entries()) {
      stopIfAsked(interrupted);
      await applyStep(host, journal, index, step, context, report);
    }
    stopIfAsked(interrupted);
    appendLine(host, journal, { t: 'ready', at: host.now() });
  } catch (cause) {
    // A fault of our own must not leave the host half changed either
    settleQuietly(journal, context);
    const left = await undoJournal(host, journal, others, report);
    throw left.length === 0 ? cause : notAllBack(cause, left, plan.guest);
  }
}

function stopIfAsked(interrupted: () => string | null): void {
  const signal = interrupted();
  if (signal !== null) throw new HostError(`Cannot go on: ${signal} was received`);
}

/** The same for steps that a guest that runs takes in addition: where one fails, these are undone and the others stay. */
export async function applyMore(
  host: Host,
  steps: Plan['steps'],
  journal: Journal,
  others: readonly HeldStep[],
  report: Report,
  interrupted: () => string | null,
): Promise<void> {
  const first = journal.entries.length;
  const context: StepContext = { host, guest: journal.header.guest, others, note: report.note };
  try {
    for (const [count, step] of steps.entries()) {
      stopIfAsked(interrupted);
      await applyStep(host, journal, first + count, step, context, report);
    }
  } catch (cause) {
    settleQuietly(journal, context);
    const left = await undoEntries(host, journal, others, report, ({ index }) => index >= first);
    throw left.length === 0 ? cause : notAllBack(cause, left, journal.header.guest);
  }
}

function notAllBack(cause: unknown, left: readonly string[], guest: string): ReleaseError {
  return new ReleaseError(
    `${cause instanceof Error ? cause.message : String(cause)}; not everything could be put back: ${left.join('; ')}`,
    left,
    `Run passqemu release ${guest} once the cause is gone`,
  );
}

async function applyStep(
  host: Host,
  journal: Journal,
  index: number,
  step: Plan['steps'][number],
  context: StepContext,
  report: Report,
): Promise<void> {
  const kind = kindOf(step);
  const words = kind.describe(step);
  const begun = host.now();
  try {
    if (kind.writesSlowly) noteWriter(host, journal);
    const got = await tellSlow(host, step, words, context, async (told) => {
      const seen = kind.observe(step, told);
      const was = kind.ask === undefined ? seen : await kind.ask(step, seen, told);
      appendLine(host, journal, { t: 'do', i: index, at: begun, step, was });
      return kind.apply(step, was, told);
    });
    if (got !== null) appendLine(host, journal, { t: 'did', i: index, got });
  } catch (error) {
    const entry = journal.entries[index];
    if (isTimeOut(error) && kind.writesSlowly && entry !== undefined) wedge(host, journal, entry);
    report.step('failed', `${words}: ${(error as Error).message}`, host.now() - begun);
    throw error;
  }
  report.step('done', words, host.now() - begun);
}

/** The failed step's own memory is made exact; where even that fails, undo still has what was observed. */
function settleQuietly(journal: Journal, context: StepContext): void {
  try {
    settleJournal(journal, context);
  } catch (error) {
    context.note((error as Error).message);
  }
}
