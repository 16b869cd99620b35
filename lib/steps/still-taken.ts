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

/** The same, also where a module that drives one of them is not back. */
export function refuseWhileDark(what: string, functions: readonly PciAddress[], context: StepContext): void {
  refuseWhileTaken(what, functions, context);
  const out = heldOf(context.own ?? [], 'unload').find(({ step }) =>
    step.functions.some((address) => functions.includes(address)),
  );
  if (out === undefined) return;
  throw new HostError(`Cannot ${what}: the module ${out.step.name} is not back yet, it must be first`, {
    code: 'EBUSY',
  });
}
