import type { GuestInputs } from '../lib/apply/guest.ts';
import { readState } from '../lib/apply/journal.ts';
import { planGuest } from '../lib/apply/plan-guest.ts';
import { readOnlineCpus } from '../lib/host/online-cpus.ts';
import { listValues, type SourcedValue } from '../lib/plan/value-sources.ts';
import { describeStep } from '../lib/steps/registry.ts';
import { type Refusal, RefusedError } from '../lib/words/errors.ts';
import type { Plan } from '../lib/words/step.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readInputs } from './inputs.ts';
import { painter } from './paint.ts';
import { romNotes } from './plan-roms.ts';

/** `passqemu plan <guest>`: the ordered steps with present and wanted values, or all refusals; changes nothing. */
export async function plan(line: CommandLine, globals: Globals): Promise<number> {
  const inputs = await readInputs(line, globals);
  return showPlan(inputs, globals);
}

/** Prints a plan and where its values come from, or its refusals; 0 or 1. */
export function showPlan(inputs: GuestInputs, globals: Globals): number {
  const { host, stateDir, json, out } = globals;
  const { guest } = inputs;
  const { journals } = readState(host, stateDir);
  const others = journals.filter((journal) => journal.header.guest !== guest);
  const values = listValues({ ...inputs, online: readOnlineCpus(host) });
  let made: Plan = { guest, uuid: null, steps: [], notes: [] };
  let refusals: readonly Refusal[] = [];
  try {
    const planned = planGuest(host, inputs, others);
    made = { ...planned, notes: [...planned.notes, ...romNotes(inputs, globals)] };
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
    out(JSON.stringify({ guest, steps, refusals, notes: made.notes, values }, null, 2));
  } else {
    out(formatPlan(made, refusals, globals.colour));
    out(formatValues(guest, values, globals.verbose));
  }
  return refusals.length > 0 ? 1 : 0;
}

const SOURCES: Readonly<Record<SourcedValue['from'], string>> = {
  profile: 'profile',
  metadata: 'metadata of the domain XML',
  xml: 'domain XML',
  default: 'default',
};

/** Who says what; the defaults only where somebody wants to see everything. */
function formatValues(guest: string, values: readonly SourcedValue[], all: boolean): string {
  const shown = values.filter(({ from }) => all || from !== 'default');
  const rest = values.length - shown.length;
  const width = Math.max(0, ...shown.map(({ key }) => key.length));
  return [
    `What ${guest} asks for, and where it says so${rest > 0 ? ` (the ${rest} defaults with -v)` : ''}:`,
    ...shown.map(({ key, value, from }) => `  ${key.padEnd(width)}  ${value}  (${SOURCES[from]})`),
  ].join('\n');
}

function formatPlan(plan: Plan, refusals: readonly Refusal[], colour: boolean): string {
  const paint = painter(colour);
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
