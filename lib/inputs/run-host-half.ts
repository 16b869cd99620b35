import { type CpuSet, unionOf } from '../words/cpu-list.ts';
import type { Profile } from './profile.ts';
import type { RunProfile, WholeProfile } from './run-profile.ts';

/** The memory of a guest without libvirt that says nothing of it. */
const USUAL_MEMORY_KIB = 4 * 1024 ** 2;

/** How much memory the guest has, in KiB: of [numa …], [machine], [memory], or the usual. */
export function memoryKibOf({ host, run }: WholeProfile): number {
  const ofNodes = run.numa.reduce((sum, { memory }) => sum + (memory ?? 0), 0);
  const onHostNodes = host.memory.nodes?.reduce((sum, { sizeKib }) => sum + sizeKib, 0) ?? null;
  return ofNodes || (run.machine.memory ?? host.memory.sizeKib ?? onHostNodes ?? USUAL_MEMORY_KIB);
}

/**
 * The host's half of the profile with what the guest's half says of it: how much memory, on which nodes, and which CPUs. What a
 * domain XML says of it under libvirt; so the planners of libvirt's guests plan this one too.
 */
export function hostHalfOf(whole: WholeProfile): Profile {
  const { host, run } = whole;
  const sizeKib = memoryKibOf(whole);
  return {
    ...host,
    memory: { ...host.memory, sizeKib, nodes: host.memory.nodes ?? boundNodes(run) },
    cpu: { ...host.cpu, guest: host.cpu.guest ?? pinnedCpus(run) },
  };
}

/** What each node of the host gives, where every node of the guest is bound to one; else null. */
function boundNodes({ numa }: RunProfile): Profile['memory']['nodes'] {
  if (numa.length === 0 || numa.some(({ hostNodes }) => hostNodes?.length !== 1)) return null;
  const sizes = new Map<number, number>();
  for (const { hostNodes, memory } of numa)
    sizes.set(hostNodes![0]!, (sizes.get(hostNodes![0]!) ?? 0) + (memory ?? 0));
  return [...sizes].map(([node, sizeKib]) => ({ node, sizeKib })).sort((a, b) => a.node - b.node);
}

/** The CPUs that vCPUs and iothreads are placed on; null where none are. */
function pinnedCpus({ threads }: RunProfile): CpuSet | null {
  const { pins, iothreads, wholeProcess } = threads;
  if (pins === null) return wholeProcess;
  return unionOf(...pins, ...(iothreads ?? []).map(({ cpus }) => cpus));
}
