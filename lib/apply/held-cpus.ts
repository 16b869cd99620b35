import type { Host } from '../host/host.ts';
import { cpuHolders } from '../plan/cpu-holders.ts';
import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import { readHeldSteps } from './held.ts';
import { readSummary } from './summary.ts';

/** Which guest has which CPUs, from the journals, else from the summary that everybody may read; null where neither tells. */
export function readHeldCpus(host: Host, stateDir: string): ReadonlyMap<string, CpuSet> | null {
  const { held, complete } = readHeldSteps(host, stateDir);
  if (complete) return cpuHolders(held);
  const summary = readSummary(host, stateDir);
  if (summary === null || summary.guests.some(({ cpus }) => cpus === undefined)) return null;
  return new Map(
    summary.guests
      .map(({ guest, cpus }) => [guest, parseCpuList(cpus ?? '') ?? []] as const)
      .filter(([, cpus]) => cpus.length > 0),
  );
}
