import { type CpuSet, parseCpuList, unionOf } from '../words/cpu-list.ts';
import type { HeldStep } from '../words/step.ts';

/** The CPUs that each guest has, by its name, as its held steps say. */
export function cpuHolders(held: readonly HeldStep[]): ReadonlyMap<string, CpuSet> {
  const holders = new Map<string, CpuSet>();
  for (const { guest, step } of held) {
    const list = 'guestCpus' in step ? step.guestCpus : step.kind === 'governor' ? step.cpus : '';
    const cpus = parseCpuList(list) ?? [];
    if (cpus.length > 0) holders.set(guest, unionOf(holders.get(guest) ?? [], cpus));
  }
  return holders;
}
