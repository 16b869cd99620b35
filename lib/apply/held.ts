import type { Host } from '../host/host.ts';
import type { HeldStep } from '../words/step.ts';
import { heldSteps, readState } from './journal.ts';

/** What all guests hold, for commands that show it. `complete` is false where a journal could not be read (as by an ordinary user). */
export function readHeldSteps(host: Host, stateDir: string): { held: HeldStep[]; complete: boolean } {
  const state = readState(host, stateDir);
  return { held: heldSteps(state.journals), complete: state.unreadable.length === 0 };
}
