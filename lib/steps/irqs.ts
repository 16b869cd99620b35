import { DEFAULT_AFFINITY, listIrqs, readIrqActions, readIrqAffinity } from '../host/irqs.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import {
  formatCpuList,
  formatCpuMask,
  intersectionOf,
  sameCpus,
  unionOf,
  without,
} from '../words/cpu-list.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { maskOf, moveIrq, offGuests, readDefaultMask } from './irq-affinity.ts';
import { undoIrqs } from './irqs-undo.ts';
import { cpusHeld, cpusOf, isNarrowedBy } from './shared-cpus.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/**
 * Interrupts are moved off the guests' CPUs, and new ones are born elsewhere (Documentation/core-api/irq/irq-affinity.rst).
 * Those that the kernel manages itself refuse (managed_irq.rst): that is remembered and is no failure.
 */
export const irqsKind: StepKind<'irqs'> = {
  describe: ({ guestCpus }) => `move interrupts off CPUs ${guestCpus}`,
  describeUndo: ({ guestCpus }) => `let interrupts use CPUs ${guestCpus} again`,
  observe,
  apply,
  undo: undoIrqs,
  drift,
};

function observe({ guestCpus }: StepOf<'irqs'>, { host, others }: StepContext): Memory<'irqs'> {
  const own = cpusOf(guestCpus);
  const held = heldOf(others, 'irqs');
  const theirs = cpusHeld(held);
  const now = readDefaultMask(host);
  const bases = held.map(({ was }) => maskOf(was.defaultMask));
  const defaultBase = bases.find((base) => isNarrowedBy(now, base, theirs)) ?? now;

  const affinities: Record<string, { actions: string; list: string }> = {};
  const untouched: number[] = [];
  for (const irq of listIrqs(host)) {
    const affinity = readIrqAffinity(host, irq);
    if (affinity === null) continue;
    const known = held.map(({ was }) => was.affinities[irq]).filter((entry) => entry !== undefined);
    // Without another guest's memory of it, only what is on our CPUs needs a second look
    if (known.length === 0 && intersectionOf(affinity, own).length === 0) {
      untouched.push(irq);
      continue;
    }
    const actions = readIrqActions(host, irq);
    // Nobody handles it: whoever comes to do so gets it with the default affinity
    if (actions === '') continue;
    const before = known.find(
      (entry) => entry.actions === actions && isNarrowedBy(affinity, cpusOf(entry.list), theirs),
    );
    const base = before === undefined ? affinity : cpusOf(before.list);
    if (intersectionOf(base, own).length === 0) untouched.push(irq);
    else affinities[irq] = { actions, list: formatCpuList(base) };
  }
  return { defaultMask: formatCpuMask(defaultBase), affinities, untouched };
}

function apply(
  step: StepOf<'irqs'>,
  was: Memory<'irqs'>,
  { host, others, note }: StepContext,
): { refused: readonly string[] } {
  const guests = unionOf(cpusOf(step.guestCpus), cpusHeld(heldOf(others, 'irqs')));
  const hostCpus = without(readOnlineCpus(host), guests);
  const defaultBase = maskOf(was.defaultMask);
  if (intersectionOf(defaultBase, guests).length > 0) {
    // First of all, so that no interrupt is born on the guest's CPUs behind our back
    host.write(DEFAULT_AFFINITY, formatCpuMask(offGuests(defaultBase, guests, hostCpus)));
  }
  const refused: string[] = [];
  for (const [irq, { list }] of Object.entries(was.affinities)) {
    if (!moveIrq(host, irq, offGuests(cpusOf(list), guests, hostCpus))) refused.push(irq);
  }
  if (refused.length > 0) {
    note(
      `${refused.length} interrupts stay on the guest's CPUs: the kernel manages them itself (${shorten(refused)})`,
    );
  }
  return { refused };
}

function drift(
  { guestCpus }: StepOf<'irqs'>,
  was: Memory<'irqs'>,
  got: { refused: readonly string[] } | undefined,
  { host }: StepContext,
): string | null {
  const own = cpusOf(guestCpus);
  const back = Object.entries(was.affinities).filter(([irq]) => {
    const now = got?.refused.includes(irq) === true ? null : readIrqAffinity(host, irq);
    return now !== null && !sameCpus(without(now, own), now);
  });
  return back.length === 0
    ? null
    : `${back.length} interrupts may use CPUs ${guestCpus} again (${shorten(back.map(([irq]) => irq))})`;
}

function shorten(irqs: readonly string[]): string {
  return irqs.length <= 8 ? irqs.join(', ') : `${irqs.slice(0, 8).join(', ')} and more`;
}
