import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import type { Host } from './host.ts';

/** One interrupt: who handles it, where it may go, where it goes. */
export interface Irq {
  readonly irq: number;
  readonly actions: readonly string[];
  readonly affinity: CpuSet;
  readonly effective: CpuSet;
}

export const DEFAULT_AFFINITY = '/proc/irq/default_smp_affinity';
const FILES: ReadonlySet<string> = new Set([
  'affinity_hint',
  'effective_affinity',
  'effective_affinity_list',
  'node',
  'smp_affinity',
  'smp_affinity_list',
  'spurious',
]);

/** The file that says, and takes, where an interrupt may go. See Documentation/core-api/irq/irq-affinity.rst. */
export function affinityPath(irq: number | string): string {
  return `/proc/irq/${irq}/smp_affinity_list`;
}

/** The numbers of all interrupts, ascending. */
export function listIrqs(host: Host): number[] {
  return host
    .list('/proc/irq')
    .filter((name) => /^\d{1,9}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Where an interrupt may go, or null where it is gone. */
export function readIrqAffinity(host: Host, irq: number | string): CpuSet | null {
  const text = host.readOptional(affinityPath(irq));
  return text === null ? null : parseCpuList(text);
}

/** Who handles it, as one text ("nvme0q1", two that share it with a bar between them): each action is a folder. Empty: nobody. */
export function readIrqActions(host: Host, irq: number | string): string {
  return host
    .list(`/proc/irq/${irq}`)
    .filter((name) => !FILES.has(name))
    .join('|');
}

/** All interrupts that somebody handles. */
export function readIrqs(host: Host): Irq[] {
  const found: Irq[] = [];
  for (const irq of listIrqs(host)) {
    const actions = readIrqActions(host, irq);
    const affinity = readIrqAffinity(host, irq);
    if (actions === '' || affinity === null) continue;
    const effective = parseCpuList(host.readOptional(`/proc/irq/${irq}/effective_affinity_list`) ?? '');
    found.push({ irq, actions: actions.split('|'), affinity, effective: effective ?? [] });
  }
  return found;
}
