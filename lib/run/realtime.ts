import { type CpuSet, formatCpuList, without } from '../words/cpu-list.ts';
import type { Refusal } from '../words/errors.ts';

/** What the judgement about real-time scheduling rests on. */
export interface RealtimeInput {
  /** All CPUs on which a thread of the guest is to run in real time; every CPU where one is pinned to none. */
  readonly cpus: CpuSet;
  readonly online: CpuSet;
  readonly priority: number;
  /** /proc/sys/kernel/sched_rt_runtime_us and sched_rt_period_us; null where the kernel has none. */
  readonly runtimeUs: number | null;
  readonly periodUs: number | null;
}

/** From here on a thread comes before the kernel's own for interrupts (50) and, at 99, before the watchdog and migration. */
const BEFORE_INTERRUPTS = 50;

/**
 * What speaks against running vCPUs in real time, and what the user must know: a vCPU that never waits keeps everything else off its
 * CPU, kernel threads included (sched(7), "Limiting the CPU usage of real-time and deadline processes").
 */
export function judgeRealtime(input: RealtimeInput): { refusals: Refusal[]; notes: string[] } {
  const { cpus, online, priority, runtimeUs, periodUs } = input;
  if (cpus.length === 0) return { refusals: [], notes: [] };
  const refusals: Refusal[] = [];
  if (without(online, cpus).length === 0) {
    refusals.push({
      id: 'realtime-all-cpus',
      summary: `Cannot run the guest in real time on all CPUs of the host (${formatCpuList(online)}): one that it leaves alone must be there for the host`,
      remedy: 'Pin the vCPUs to fewer CPUs, or leave real time off',
    });
  }
  if (runtimeUs === 0) {
    refusals.push({
      id: 'realtime-no-time',
      summary:
        'Cannot run the guest in real time: the kernel gives such threads no time (kernel.sched_rt_runtime_us is 0)',
      remedy: 'sysctl kernel.sched_rt_runtime_us=950000, or rt-runtime-us in [knobs]',
    });
  }
  const list = formatCpuList(cpus);
  const notes: string[] = [];
  if (runtimeUs === -1) {
    notes.push(
      `kernel.sched_rt_runtime_us is -1: a vCPU that spins takes CPUs ${list} for good, with all that the kernel has to do there; the machine may hang (rt-runtime-us in [knobs] sets a limit)`,
    );
  } else if (runtimeUs !== null && runtimeUs > 0 && periodUs !== null) {
    const held = Math.max(0, Math.round((1 - runtimeUs / periodUs) * 100));
    notes.push(
      `In real time the guest keeps everything else off CPUs ${list} but for ${held} % of each ${periodUs / 1_000_000} s (kernel.sched_rt_runtime_us): then its vCPUs stand still`,
    );
  }
  if (priority >= BEFORE_INTERRUPTS) {
    notes.push(
      `Real-time priority ${priority} comes before the kernel's interrupt threads (${BEFORE_INTERRUPTS}): drivers on CPUs ${list} may starve; 1 is enough against ordinary programs`,
    );
  }
  return { refusals, notes };
}
