import { readState } from '../lib/apply/journal.ts';
import type { Journal } from '../lib/apply/journal-text.ts';
import { planGuest } from '../lib/apply/plan-guest.ts';
import { describeStep } from '../lib/steps/registry.ts';
import { type Refusal, RefusedError } from '../lib/words/errors.ts';
import type { Plan } from '../lib/words/step.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readInputs } from './inputs.ts';

/** `passqemu plan <guest>`: the ordered steps with present and wanted values, or all refusals; changes nothing. */
export async function plan(line: CommandLine, globals: Globals): Promise<number> {
  const inputs = await readInputs(line, globals);
  return showPlan(inputs.guest, globals, (others) => planGuest(globals.host, inputs, others));
}

/** Prints a plan or its refusals; 0 or 1. */
export function showPlan(
  guest: string,
  globals: Globals,
  make: (others: readonly Journal[]) => Plan,
): number {
  const { host, stateDir, json, out } = globals;
  const { journals } = readState(host, stateDir);
  const others = journals.filter((journal) => journal.header.guest !== guest);
  let made: Plan = { guest, uuid: null, steps: [], notes: [] };
  let refusals: readonly Refusal[] = [];
  try {
    made = make(others);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    refusals = error.refusals;
  }
  if (json) {
    const steps = made.steps.map((step) => ({
      kind: step.kind,
      summary: describeStep(step),
      target: step.target,
      from: step.from,
      to: step.to,
    }));
    out(JSON.stringify({ guest, steps, refusals, notes: made.notes }, null, 2));
  } else out(formatPlan(made, refusals, globals.colour));
  return refusals.length > 0 ? 1 : 0;
}

function formatPlan(plan: Plan, refusals: readonly Refusal[], colour: boolean): string {
  const paint = (code: number, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  if (refusals.length > 0) {
    const lines = refusals.map(
      ({ summary, remedy }) => `  ${paint(31, '✗')} ${summary}${remedy === null ? '' : `\n      ${remedy}`}`,
    );
    return [`${plan.guest} cannot start:`, ...lines].join('\n');
  }
  const width = String(plan.steps.length).length;
  const lines = plan.steps.map((step, index) => {
    const change =
      step.from === null && step.to === null ? '' : paint(2, `  ${step.from ?? '-'} → ${step.to ?? '-'}`);
    return `  ${String(index + 1).padStart(width)}. ${describeStep(step)}${change}`;
  });
  const head =
    plan.steps.length === 0
      ? `Starting ${plan.guest} changes nothing`
      : `Starting ${plan.guest} will, in this order:`;
  return [head, ...lines, ...plan.notes.map((note) => `  ${paint(33, 'note:')} ${note}`)].join('\n');
}
