import type { Refusal } from '../words/errors.ts';
import type { Step } from '../words/step.ts';

/** What one planner has to say: its steps in order, all its reasons against the start, and what people should know. */
export interface PlanPart {
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
}

/** A planner that has nothing to do. */
export const EMPTY_PART: PlanPart = { steps: [], refusals: [], notes: [] };

/** Puts parts together in the order given. */
export function mergeParts(...parts: readonly PlanPart[]): PlanPart {
  return {
    steps: parts.flatMap(({ steps }) => steps),
    refusals: parts.flatMap(({ refusals }) => refusals),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
