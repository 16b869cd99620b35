import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import type { QmpClient } from './qmp-client.ts';
import { asObject } from './qmp-text.ts';

/** How a thread is scheduled in real time (sched(7)); the kernel's priorities are 1 to 99. */
export interface RealtimeWish {
  readonly policy: 'fifo' | 'rr';
  readonly priority: number;
}

/** Where a guest's threads are to run; what is not in it runs where the emulator does. */
export interface ThreadWishes {
  /** By the vCPU's number. */
  readonly vcpus: ReadonlyMap<number, CpuSet>;
  /** By the iothread object's id. */
  readonly iothreads: ReadonlyMap<string, CpuSet>;
  readonly emulator: CpuSet | null;
  /** Of each vCPU, by its number. */
  readonly realtime: ReadonlyMap<number, RealtimeWish>;
}

/** QEMU's threads as the host numbers them. */
export interface GuestThreads {
  readonly vcpus: ReadonlyMap<number, number>;
  readonly iothreads: ReadonlyMap<string, number>;
}

/** One thread and what it is to be; `name` is what people call it. */
export interface Placement {
  readonly task: number;
  readonly name: string;
  readonly cpus: CpuSet | null;
  readonly realtime: RealtimeWish | null;
}

/**
 * Asks QEMU for the threads that have a wish (query-cpus-fast, query-iothreads), because it takes a while to read a question; a vCPU without
 * one (its accelerator runs all in one) is left out.
 */
export async function readGuestThreads(qmp: QmpClient, wishes: ThreadWishes): Promise<GuestThreads> {
  const [cpus, iothreads] = await Promise.all([
    wishes.vcpus.size + wishes.realtime.size > 0 ? qmp.execute('query-cpus-fast') : [],
    wishes.iothreads.size > 0 ? qmp.execute('query-iothreads') : [],
  ]);
  return {
    vcpus: parseThreads(cpus, 'cpu-index', isIndex),
    iothreads: parseThreads(iothreads, 'id', isName),
  };
}

/** Which thread goes where; a wish for a thread that is not there is a HostError, because nothing would hold it. */
export function planPlacements(wishes: ThreadWishes, threads: GuestThreads): Placement[] {
  const placements: Placement[] = [];
  for (const vcpu of new Set([...wishes.vcpus.keys(), ...wishes.realtime.keys()])) {
    const realtime = wishes.realtime.get(vcpu) ?? null;
    placements.push(
      placement(`vCPU ${vcpu}`, threads.vcpus.get(vcpu), wishes.vcpus.get(vcpu) ?? null, realtime),
    );
  }
  for (const [id, cpus] of wishes.iothreads)
    placements.push(placement(`iothread ${id}`, threads.iothreads.get(id), cpus, null));
  return placements;
}

function placement(
  name: string,
  task: number | undefined,
  cpus: CpuSet | null,
  realtime: RealtimeWish | null,
): Placement {
  if (task === undefined)
    throw new HostError(`Cannot place ${name}: QEMU has no such thread`, {
      hint: 'With several vCPUs and without KVM, QEMU needs accel=tcg,thread=multi to give each a thread',
    });
  return { task, name, cpus, realtime };
}

/** Reads a list of threads with their names; anything that is none is left out. */
function parseThreads<K>(
  answer: unknown,
  key: string,
  isKey: (value: unknown) => value is K,
): Map<K, number> {
  const threads = new Map<K, number>();
  for (const entry of Array.isArray(answer) ? answer : []) {
    const fields = asObject(entry);
    const [name, task] = [fields?.[key], fields?.['thread-id']];
    if (isKey(name) && isIndex(task) && task > 0) threads.set(name, task);
  }
  return threads;
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === 'string';
}

/** Reads "0-3" out of a thread's status and its policy and priority out of its stat (proc(5): fields 41 and 40). */
export function parseScheduling(
  status: string,
  stat: string,
): { cpus: CpuSet | null; policy: 'other' | 'fifo' | 'rr' | null; priority: number } {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const policy = { 0: 'other', 1: 'fifo', 2: 'rr' }[fields[38] ?? ''] as 'other' | 'fifo' | 'rr' | undefined;
  return { cpus: parseCpuList(list), policy: policy ?? null, priority: Number(fields[37] ?? 0) };
}
