import type { Host } from '../host/host.ts';
import { affinityPath, DEFAULT_AFFINITY, listIrqs, readIrqActions, readIrqAffinity } from '../host/irqs.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
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
    const before = known.find((entry) => entry.actions === actions && isNarrowedBy(affinity, cpusOf(entry.list), theirs));
    const base = before === undefined ? affinity : cpusOf(before.list);
    if (intersectionOf(base, own).length === 0) untouched.push(irq);
    else affinities[irq] = { actions, list: formatCpuList(base) };
  }
  return { defaultMask: formatCpuMask(defaultBase), affinities, untouched: formatCpuList(untouched) };
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
    note(`${refused.length} interrupts stay on the guest's CPUs: the kernel manages them itself (${shorten(refused)})`);
  }
  return { refused };
}

/** False where the kernel manages the interrupt itself (EIO before 6.12 or so, EPERM since) or has no room for it elsewhere. */
export function moveIrq(host: Host, irq: string, cpus: CpuSet): boolean {
  try {
    host.write(affinityPath(irq), formatCpuList(cpus));
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // Gone in the meantime: its handler let go of it
    if (error.code === 'ENOENT') return true;
    if (['EIO', 'EPERM', 'EINVAL', 'ENOSPC', 'EBUSY', 'EACCES'].includes(error.code ?? '')) return false;
    throw error;
  }
}

/** An interrupt needs a CPU: where guests have all of its own, the host's take their place. */
export function offGuests(base: CpuSet, guests: CpuSet, hostCpus: CpuSet): CpuSet {
  const left = without(base, guests);
  return left.length > 0 ? left : hostCpus;
}

export function readDefaultMask(host: Host): CpuSet {
  return maskOf(host.read(DEFAULT_AFFINITY));
}

export function maskOf(text: string): CpuSet {
  const cpus = parseCpuMask(text);
  if (cpus === null) throw new HostError(`Cannot read the CPU mask ${JSON.stringify(text)}: it is not one`);
  return cpus;
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
  return back.length === 0 ? null : `${back.length} interrupts may use CPUs ${guestCpus} again (${shorten(back.map(([irq]) => irq))})`;
}

function shorten(irqs: readonly string[]): string {
  return irqs.length <= 8 ? irqs.join(', ') : `${irqs.slice(0, 8).join(', ')} and more`;
}
