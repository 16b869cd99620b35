import type { Host } from '../host/host.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { HeldStep } from '../words/step.ts';
import { heldSteps, readState } from './journal.ts';
import { wedgedFunctions } from './wedged.ts';

/** What all guests hold, and the functions that must not be asked much, for commands that show it. `complete` is false where a journal could not be read (as by an ordinary user). */
export function readHeldSteps(
  host: Host,
  stateDir: string,
): { held: HeldStep[]; wedged: ReadonlySet<PciAddress>; complete: boolean } {
  const state = readState(host, stateDir);
  return {
    held: heldSteps(state.journals),
    wedged: wedgedFunctions(host, state.journals),
    complete: state.unreadable.length === 0,
  };
}
