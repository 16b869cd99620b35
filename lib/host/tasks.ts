import { type CpuSet, formatCpuList, parseCpuList, sameCpus } from '../words/cpu-list.ts';
import { cgroupPath, listChildCgroups, readCgroupOf, readEffectiveCpus } from './cgroups.ts';
import type { Host } from './host.ts';
import type { CpuNumbers } from './online-cpus.ts';
import { parseStartTicks } from './start-ticks.ts';

/** PF_NO_SETAFFINITY of include/linux/sched.h: a kernel thread that nobody can pin. */
const NO_SETAFFINITY = 0x04000000;
/** PF_KTHREAD of the same file. */
const KERNEL_THREAD = 0x00200000;
const DEEPEST = 16;

/** A task's number with its start time: "4711:8815". */
export type TaskKey = string;

/** The tasks (threads too) in cgroups below the root that are pinned to CPUs, with their CPU lists. */
export function readPinnedTasksInCgroups(host: Host, numbers: CpuNumbers): Map<TaskKey, string> {
  const pinned = new Map<TaskKey, string>();
  const visit = (cgroup: string, depth: number): void => {
    for (const child of depth < DEEPEST ? listChildCgroups(host, cgroup) : []) {
      const tasks = host.readOptional(`${cgroupPath(child)}/cgroup.threads`);
      if (tasks === null) continue;
      if (tasks !== '') addPinned(host, tasks.split('\n'), freeMasks(host, child, numbers), pinned);
      visit(child, depth + 1);
    }
  };
  visit('', 0);
  return pinned;
}

/** The pinned tasks of the whole machine, kernel threads that can be pinned too. */
export function readAllPinnedTasks(host: Host, numbers: CpuNumbers): Map<TaskKey, string> {
  const pinned = new Map<TaskKey, string>();
  const free = freeMasks(host, '', numbers);
  for (const process of host.list('/proc')) {
    if (/^\d+$/.test(process)) addPinned(host, host.list(`/proc/${process}/task`), free, pinned);
  }
  // Tasks in cgroups with CPUs of their own look pinned to these from afar
  for (const [key, list] of pinned) {
    const cgroup = readCgroupOf(host, key.slice(0, key.indexOf(':')));
    if (cgroup === null || cgroup === '/') continue;
    if (freeMasks(host, cgroup, numbers).some((mask) => formatCpuList(mask) === list)) pinned.delete(key);
  }
  return pinned;
}

/** Where a task may run now, or null where it is gone or its number has been given to another one. */
export function readTaskCpus(host: Host, key: TaskKey): CpuSet | null {
  const [task = '', ticks = ''] = key.split(':');
  if (parseStartTicks(host.readOptional(`/proc/${task}/stat`)) !== Number(ticks)) return null;
  return parseAllowedList(host.readOptional(`/proc/${task}/status`) ?? '');
}

/** Whether a task is a thread of the kernel. */
export function isKernelThread(host: Host, task: string): boolean {
  const stat = host.readOptional(`/proc/${task}/stat`);
  return stat !== null && hasFlag(stat, KERNEL_THREAD);
}

/** Reads Cpus_allowed_list of /proc/PID/status (proc(5)). */
export function parseAllowedList(status: string): CpuSet | null {
  const match = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status);
  return match === null ? null : parseCpuList(match[1]!);
}

/** The masks of a task that nobody has pinned: what its cgroup lets it use, or everything. */
export function freeMasks(host: Host, cgroup: string, numbers: CpuNumbers): CpuSet[] {
  const effective = readEffectiveCpus(host, cgroup);
  return [...(effective === null ? [] : [effective]), numbers.possible, numbers.online];
}

function addPinned(
  host: Host,
  tasks: readonly string[],
  free: readonly CpuSet[],
  pinned: Map<TaskKey, string>,
): void {
  for (const task of tasks) {
    const cpus = parseAllowedList(host.readOptional(`/proc/${task}/status`) ?? '');
    if (cpus === null || free.some((mask) => sameCpus(mask, cpus))) continue;
    const stat = host.readOptional(`/proc/${task}/stat`);
    const ticks = parseStartTicks(stat);
    if (stat === null || ticks === null || isFixed(stat)) continue;
    pinned.set(`${task}:${ticks}`, formatCpuList(cpus));
  }
}

/** Whether a kernel thread refuses every affinity but its own. */
function isFixed(stat: string): boolean {
  return hasFlag(stat, NO_SETAFFINITY);
}

/** A flag of field 9 of /proc/PID/stat; 32-bit arithmetic would make the upper bit negative. */
function hasFlag(stat: string, flag: number): boolean {
  const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
  return Math.floor(flags / flag) % 2 === 1;
}
