import { type CpuSet, parseCpuList, unionOf, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';

interface GuestCpusHeld {
  readonly step: { readonly guestCpus: string };
}

/** The CPUs of a list in a step or in a memory. */
export function cpusOf(list: string): CpuSet {
  const cpus = parseCpuList(list);
  if (cpus === null) throw new HostError(`Cannot read the CPU list ${JSON.stringify(list)}: it is not one`);
  return cpus;
}

/** The CPUs of all guests whose held steps these are. */
export function cpusHeld(held: readonly GuestCpusHeld[]): CpuSet {
  return unionOf(...held.map(({ step }) => cpusOf(step.guestCpus)));
}

/**
 * Whether a set can be our work: the base, with nothing but CPUs of guests taken from it. Anything else somebody has
 * set since, and it is theirs.
 */
export function isNarrowedBy(now: CpuSet, base: CpuSet, guests: CpuSet): boolean {
  return without(now, base).length === 0 && without(without(base, now), guests).length === 0;
}

/** The same for what must not be empty: where guests have all of the base, we have put CPUs of the host in its place. */
export function isKeptOff(now: CpuSet, base: CpuSet, guests: CpuSet): boolean {
  if (isNarrowedBy(now, base, guests)) return true;
  return without(base, guests).length === 0 && without(now, base).length === now.length;
}
