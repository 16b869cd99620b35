import type { Refusal } from '../words/errors.ts';
import type { Step } from '../words/step.ts';

/** What one planner adds to a guest's plan: steps in their order, reasons against it, and what the user should know. */
export interface PlanPart {
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
}
