import { type CpuSet, parseCpuList, parseCpuMask } from '../words/cpu-list.ts';
import type { Host } from './host.ts';

/** CPUs as the kernel counts them: which can run tasks now, and which are there at all. */
export interface CpuNumbers {
  readonly online: CpuSet;
  readonly present: CpuSet;
  /** Every CPU that could ever appear: the mask of a task that is pinned to none. */
  readonly possible: CpuSet;
}

export const CPUS = '/sys/devices/system/cpu';

/** Reads the lists of /sys/devices/system/cpu. See Documentation/ABI/testing/sysfs-devices-system-cpu. */
export function readCpuNumbers(host: Host): CpuNumbers {
  const online = readOnlineCpus(host);
  const present = readCpuListFile(host, `${CPUS}/present`) ?? online;
  return { online, present, possible: readCpuListFile(host, `${CPUS}/possible`) ?? present };
}

/** The CPUs that can run tasks now; empty where the machine does not tell. */
export function readOnlineCpus(host: Host): CpuSet {
  return readCpuListFile(host, `${CPUS}/online`) ?? [];
}

/** A file that holds a CPU list ("(null)" stands for none), or null where there is none. */
export function readCpuListFile(host: Host, path: string): CpuSet | null {
  const text = host.readOptional(path);
  if (text === null) return null;
  return text === '(null)' ? [] : parseCpuList(text);
}

/** The same of a file that holds a mask ("00000000,000000ff"), as kernels and tools have them that know no lists. */
export function readCpuMaskFile(host: Host, path: string): CpuSet | null {
  const text = host.readOptional(path);
  return text === null ? null : parseCpuMask(text);
}
