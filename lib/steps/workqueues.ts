import type { Host } from '../host/host.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import { readWorkqueueMask, WORKQUEUE_MASK } from '../host/workqueues.ts';
import {
  type CpuSet,
  formatCpuList,
  formatCpuMask,
  intersectionOf,
  parseCpuMask,
  sameCpus,
  unionOf,
  without,
} from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { cpusHeld, cpusOf, isKeptOff, isNarrowedBy } from './shared-cpus.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/** The unbound workqueues' CPUs: their base minus the CPUs of all guests (Documentation/core-api/workqueue.rst). */
export const workqueuesKind: StepKind<'workqueues'> = {
  describe: ({ guestCpus }) => `keep unbound workqueues off CPUs ${guestCpus}`,
  describeUndo: ({ guestCpus }) => `let unbound workqueues use CPUs ${guestCpus} again`,
  observe,
  apply,
  undo,
  drift,
};

function observe(_step: StepOf<'workqueues'>, { host, others }: StepContext): Memory<'workqueues'> {
  const now = readMask(host);
  const held = heldOf(others, 'workqueues');
  const base = held.find(({ was }) => isNarrowedBy(now, maskOf(was.mask), cpusHeld(held)));
  return base?.was ?? { mask: formatCpuMask(now) };
}

function apply(step: StepOf<'workqueues'>, was: Memory<'workqueues'>, { host, others }: StepContext): null {
  const guests = unionOf(cpusOf(step.guestCpus), cpusHeld(heldOf(others, 'workqueues')));
  const wanted = withoutGuests(host, maskOf(was.mask), guests);
  if (!sameCpus(readMask(host), wanted)) host.write(WORKQUEUE_MASK, formatCpuMask(wanted));
  const shared = intersectionOf(readMask(host), cpusOf(step.guestCpus));
  if (shared.length === 0) return null;
  throw new HostError(
    `Cannot keep unbound workqueues off CPUs ${step.guestCpus}: they still may use ${formatCpuList(shared)}`,
    { path: WORKQUEUE_MASK },
  );
}

function undo(
  step: StepOf<'workqueues'>,
  was: Memory<'workqueues'>,
  _got: unknown,
  { host, others, note }: StepContext,
): void {
  const othersCpus = cpusHeld(heldOf(others, 'workqueues'));
  const guests = unionOf(cpusOf(step.guestCpus), othersCpus);
  const base = maskOf(was.mask);
  const wanted = othersCpus.length === 0 ? base : withoutGuests(host, base, othersCpus);
  const now = readMask(host);
  if (sameCpus(now, wanted)) return;
  if (!isKeptOff(now, base, guests)) {
    note(`The CPUs of unbound workqueues have been changed by somebody else since: left as they are`);
    return;
  }
  host.write(WORKQUEUE_MASK, formatCpuMask(wanted));
  const missing = without(wanted, readMask(host));
  if (missing.length === 0) return;
  throw new HostError(
    `Cannot let unbound workqueues use CPUs ${formatCpuList(missing)} again: they are not taken`,
    {
      path: WORKQUEUE_MASK,
    },
  );
}

function drift(
  step: StepOf<'workqueues'>,
  _was: unknown,
  _got: unknown,
  { host }: StepContext,
): string | null {
  const back = intersectionOf(readMask(host), cpusOf(step.guestCpus));
  return back.length === 0 ? null : `unbound workqueues may use CPUs ${formatCpuList(back)} again`;
}

/** A mask must not be empty: where guests have all of it, the host's other CPUs take its place. */
function withoutGuests(host: Host, base: CpuSet, guests: CpuSet): CpuSet {
  const left = without(base, guests);
  return left.length > 0 ? left : without(readOnlineCpus(host), guests);
}

function readMask(host: Host): CpuSet {
  const mask = readWorkqueueMask(host);
  if (mask === null)
    throw new HostError(`Cannot read ${WORKQUEUE_MASK}: it is not there`, { path: WORKQUEUE_MASK });
  return mask;
}

function maskOf(text: string): CpuSet {
  return parseCpuMask(text) ?? [];
}
