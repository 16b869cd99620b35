import { visible } from '../inputs/parsed.ts';
import type { Host } from './host.ts';

/** A process as /proc/PID/stat shows it (proc(5)). */
export interface ProcessFacts {
  readonly pid: number;
  readonly comm: string;
  /** "R", "S", "D"… */
  readonly state: string;
  readonly isKernel: boolean;
  readonly startTicks: number;
}

/** PF_KTHREAD, include/linux/sched.h. */
const KERNEL_THREAD = 0x20_0000;

/** All processes. */
export function readProcesses(host: Host): readonly ProcessFacts[] {
  return host.list('/proc').flatMap((pid) => {
    if (!/^[1-9]\d*$/.test(pid)) return [];
    const stat = host.readOptional(`/proc/${pid}/stat`) ?? '';
    const match = /^\d+ \((.*)\) ([A-Za-z]) (.*)$/s.exec(stat);
    if (match === null) return [];
    const rest = match[3]!.split(' ');
    return [
      {
        pid: Number(pid),
        comm: visible(match[1]!),
        state: match[2]!,
        isKernel: (Number(rest[5] ?? 0) & KERNEL_THREAD) !== 0,
        startTicks: Number(rest[18] ?? 0),
      },
    ];
  });
}

/** A process in the middle of a write to a driver's or function's file, or one that the kernel does not let go. */
export interface BlockedWriter {
  readonly pid: number;
  readonly comm: string;
  /** "/sys/bus/pci/drivers/nvidia/unbind"; null where only its state tells. */
  readonly path: string | null;
}

const SLOW: ReadonlySet<string | null> = new Set([
  'unbind',
  'bind',
  'remove',
  'reset',
  'new_id',
  'drivers_probe',
  'driver_override',
  'sriov_numvfs',
]);

/**
 * Writes to the PCI bus that have not ended: whoever reads certain attributes of such a function waits with them (the kernel
 * holds the function's lock). An ordinary user sees of others' processes only that they sleep and cannot be woken.
 */
export function findBlockedWriters(host: Host, processes: readonly ProcessFacts[]): readonly BlockedWriter[] {
  const own = host.self().pid;
  return processes.flatMap(({ pid, comm, state, isKernel }) => {
    if (isKernel || pid === own) return [];
    const path = openSlowFile(host, pid);
    return path === null && state !== 'D' ? [] : [{ pid, comm, path }];
  });
}

function openSlowFile(host: Host, pid: number): string | null {
  for (const name of host.list(`/proc/${pid}/fd`)) {
    const file = `/proc/${pid}/fd/${name}`;
    if (!SLOW.has(host.linkName(file))) continue;
    const target = host.realPath(file);
    if (target?.startsWith('/sys/')) return target;
  }
  return null;
}
