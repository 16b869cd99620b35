import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { heldOf } from '../words/step.ts';
import type { StepContext } from './step-kind.ts';

/**
 * Throws where the guest still has one of the functions: the undo of its step has failed, so what stands on the function must wait
 * for the next try.
 */
export function refuseWhileTaken(
  what: string,
  functions: readonly PciAddress[],
  { own = [] }: StepContext,
): void {
  const taken = heldOf(own, 'driver').find(({ step }) => functions.includes(step.address));
  if (taken === undefined) return;
  throw new HostError(`Cannot ${what}: ${taken.step.address} is not back yet, it must be first`, {
    code: 'EBUSY',
  });
}
