import type { Host } from '../host/host.ts';
import type { StepContext } from '../steps/step-kind.ts';
import type { Step } from '../words/step.ts';

/** What is over by then is not worth a line. */
const UNTOLD_MS = 2_000;

/**
 * Does a step, or undoes it, and tells once what it is when that takes longer than a moment and the step itself has said nothing: whoever
 * waits before a dark screen sees for what.
 */
export async function tellSlow<T>(
  host: Host,
  step: Step,
  words: string,
  context: StepContext,
  act: (context: StepContext) => Promise<T>,
): Promise<T> {
  let isTold = false;
  const note = (line: string): void => {
    isTold = true;
    context.note(line);
  };
  const stop = host.later(UNTOLD_MS, () => {
    if (!isTold) note(`Still at it: ${words}${limitOf(step)}`);
  });
  try {
    return await act({ ...context, note });
  } finally {
    stop();
  }
}

/** How long each call of the step may take, where it has such a limit. */
function limitOf(step: Step): string {
  const ms = 'timeoutMs' in step ? step.timeoutMs : 'deadlineMs' in step ? step.deadlineMs : null;
  return ms === null ? '' : ` (a call may take ${ms / 1000} s)`;
}
