import { readHeldCpus } from '../lib/apply/held-cpus.ts';
import type { Host } from '../lib/host/host.ts';
import { readTopology, type Topology } from '../lib/host/topology.ts';
import { readVcpuThreads } from '../lib/host/vcpu-threads.ts';
import { formatCpuList, parseCpuList, sameCpus, unionOf } from '../lib/words/cpu-list.ts';

/** A guest's CPUs: those that passqemu keeps for it, else those that its vCPUs are pinned to while it runs. */
export interface GuestOnCpus {
  readonly guest: string;
  readonly cpus: string;
  readonly vcpus: readonly { readonly vcpu: number; readonly cpus: string }[];
}

/** The topology as `topology --json` prints it; `guests` is null where who holds what cannot be seen. */
export interface TopologyReport extends Topology {
  readonly guests: readonly GuestOnCpus[] | null;
}

/** Reads the processors and who has which of them. A guest whose vCPUs may run anywhere has none. */
export function readTopologyReport(host: Host, stateDir: string): TopologyReport {
  const topology = readTopology(host);
  const held = readHeldCpus(host, stateDir);
  const running = readVcpuThreads(host);
  const online = topology.cpus.filter((cpu) => cpu.online).map(({ id }) => id);
  const names = [...new Set([...(held?.keys() ?? []), ...running.map(({ guest }) => guest)])].sort();
  const guests = names.flatMap((guest) => {
    const vcpus = running.find((one) => one.guest === guest)?.vcpus ?? [];
    const pinned = unionOf(...vcpus.map(({ cpus }) => parseCpuList(cpus) ?? []));
    const cpus = held?.get(guest) ?? (sameCpus(pinned, online) ? [] : pinned);
    return cpus.length === 0 ? [] : [{ guest, cpus: formatCpuList(cpus), vcpus }];
  });
  return { ...topology, guests: held === null && guests.length === 0 ? null : guests };
}
