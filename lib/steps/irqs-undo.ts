import type { Host } from '../host/host.ts';
import { DEFAULT_AFFINITY, listIrqs, readIrqActions, readIrqAffinity } from '../host/irqs.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import {
  type CpuSet,
  formatCpuMask,
  intersectionOf,
  parseCpuList,
  sameCpus,
  unionOf,
  without,
} from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { maskOf, moveIrq, offGuests, readDefaultMask } from './irq-affinity.ts';
import { cpusHeld, cpusOf, isKeptOff } from './shared-cpus.ts';
import type { StepContext } from './step-kind.ts';

/** Everything that decides where one interrupt goes: guests' CPUs before and after this undo, and the host's. */
interface Change {
  readonly before: CpuSet;
  readonly after: CpuSet;
  readonly online: CpuSet;
}

/**
 * Gives interrupts their CPUs back, less those of other guests. One that somebody else has moved since stays. One that
 * was born while the guest ran got its affinity from our narrowed default: where it still has just that, it gets what it
 * would have got without us; a driver that chose the very same CPUs by itself loses nothing by having more.
 */
export function undoIrqs(
  { guestCpus }: StepOf<'irqs'>,
  was: Memory<'irqs'>,
  _got: unknown,
  { host, others, note }: StepContext,
): void {
  const after = cpusHeld(heldOf(others, 'irqs'));
  const change = { before: unionOf(cpusOf(guestCpus), after), after, online: readOnlineCpus(host) };
  const defaultBase = maskOf(was.defaultMask);
  const bornWith = restoreDefault(host, defaultBase, change, note);

  const untouched = new Set(was.untouched);
  const left: string[] = [];
  let moved = 0;
  for (const irq of listIrqs(host)) {
    const now = readIrqAffinity(host, irq);
    if (now === null || untouched.has(irq)) continue;
    const memory = was.affinities[irq];
    const base =
      memory !== undefined && readIrqActions(host, irq) === memory.actions ? cpusOf(memory.list) : null;
    const near = base === null ? birthplace(host, irq, now, bornWith, defaultBase) : null;
    if (base === null && (near === null || readIrqActions(host, irq) === '')) continue;
    const wanted = target(base ?? near ?? defaultBase, change.after, change.online);
    if (sameCpus(now, wanted)) continue;
    if (base !== null && !isKeptOff(now, base, change.before)) moved++;
    // A managed one refuses now as it did before, and has lost nothing
    else if (!moveIrq(host, String(irq), wanted) && without(wanted, now).length > 0) left.push(String(irq));
  }
  if (moved > 0) note(`${moved} interrupts have been moved by somebody else since: left where they are`);
  if (left.length > 0) {
    throw new HostError(`Cannot give interrupts ${left.join(', ')} their CPUs back: the kernel refuses`, {
      path: '/proc/irq',
    });
  }
}

/**
 * Where an interrupt that still has what it was born with may be: everywhere, or on its device's node, to which the kernel keeps the
 * default affinity of a new interrupt (irq_setup_affinity()). Null where it has something else.
 */
function birthplace(host: Host, irq: number, now: CpuSet, bornWith: CpuSet, base: CpuSet): CpuSet | null {
  if (sameCpus(now, bornWith)) return base;
  const node = host.readOptional(`/proc/irq/${irq}/node`) ?? '';
  const cpus = /^\d+$/.test(node)
    ? parseCpuList(host.readOptional(`/sys/devices/system/node/node${node}/cpulist`) ?? '')
    : null;
  return cpus !== null && cpus.length > 0 && sameCpus(now, intersectionOf(bornWith, cpus))
    ? intersectionOf(base, cpus)
    : null;
}

/** Gives the default back; answers with what interrupts were born with until now. */
function restoreDefault(host: Host, base: CpuSet, change: Change, note: (line: string) => void): CpuSet {
  const now = readDefaultMask(host);
  const narrowed = target(base, change.before, change.online);
  const wanted = target(base, change.after, change.online);
  if (sameCpus(now, wanted)) return narrowed;
  if (isKeptOff(now, base, change.before)) host.write(DEFAULT_AFFINITY, formatCpuMask(wanted));
  else note('The default affinity of interrupts has been changed by somebody else since: left as it is');
  return narrowed;
}

function target(base: CpuSet, guests: CpuSet, online: CpuSet): CpuSet {
  return offGuests(base, guests, without(online, guests));
}
