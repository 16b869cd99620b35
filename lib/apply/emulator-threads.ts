import type { Host } from '../host/host.ts';
import { parseAllowedList } from '../host/tasks.ts';
import { type CpuSet, formatCpuList, intersectionOf, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';

const TIME_LIMIT_MS = 5_000;

/**
 * Moves QEMU's own threads off the given CPUs: all that are neither vCPUs nor iothreads of the domain's. Threads are known by the
 * names that QEMU gives them with debug-threads=on, which libvirt always says. New ones inherit from those that we moved.
 * Answers how many were moved; one that will not, or has no other CPU, stays.
 */
export async function moveEmulatorThreads(host: Host, pid: number, off: CpuSet): Promise<number> {
  let moved = 0;
  for (const thread of host.list(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    if (!/^\d+$/.test(thread) || isGuestThread(host.readOptional(`${folder}/comm`) ?? '')) continue;
    const now = parseAllowedList(host.readOptional(`${folder}/status`) ?? '');
    if (now === null || intersectionOf(now, off).length === 0) continue;
    const left = without(now, off);
    if (left.length > 0 && (await pin(host, thread, left))) moved++;
  }
  return moved;
}

/** "CPU 0/KVM", "ALL CPUs/TCG", "IO iothread1"; but "IO mon_iothread" is the monitor's, which belongs to the emulator. */
function isGuestThread(name: string): boolean {
  return /^(?:CPU \d+|ALL CPUs)\/|^IO (?!mon_)/.test(name);
}

async function pin(host: Host, thread: string, cpus: CpuSet): Promise<boolean> {
  try {
    const { status } = await host.run(['taskset', '-pc', formatCpuList(cpus), thread], {
      timeoutMs: TIME_LIMIT_MS,
    });
    return status === 0;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}
