import { readCgroupOf } from '../host/cgroups.ts';
import type { Host } from '../host/host.ts';
import { type CpuNumbers, readCpuNumbers } from '../host/online-cpus.ts';
import {
  freeMasks,
  isKernelThread,
  readAllPinnedTasks,
  readPinnedTasksInCgroups,
  readTaskCpus,
  type TaskKey,
} from '../host/tasks.ts';
import { type CpuSet, formatCpuList, intersectionOf, sameCpus, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { readBoundPolicies, renewGovernors } from './governor-threads.ts';
import { cpusOf } from './shared-cpus.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/** Pins that the steps of this process have to carry across a change of cpusets: by host, because a process has one. */
const carried = new WeakMap<Host, Map<TaskKey, string>>();

const TIME_LIMIT_MS = 5_000;

/** Affinities of tasks (sched_setaffinity(2)) that the kernel forgets when their cpuset changes; taskset(1) puts them back. */
export const affinitiesKind: StepKind<'affinities'> = {
  describe: ({ role }) =>
    role === 'remember'
      ? 'remember which tasks are pinned to CPUs'
      : 'pin tasks again that the kernel let loose',
  describeUndo: ({ role }) =>
    role === 'remember' ? 'pin tasks again that the kernel let loose' : 'see which tasks are pinned by now',
  observe,
  apply,
  undo,
};

function observe({ role, scope }: StepOf<'affinities'>, { host, others }: StepContext): Memory<'affinities'> {
  if (role === 'mend') return { tasks: {}, boundPolicies: [] };
  const pinned = readPinned(host, scope);
  const bound = new Set(scope === 'all' ? readBoundPolicies(host) : []);
  for (const { was } of heldOf(others, 'affinities')) {
    for (const policy of was.boundPolicies) bound.add(policy);
    const alive = Object.entries(was.tasks).filter(([key]) => readTaskCpus(host, key) !== null);
    addOlderPins(pinned, Object.fromEntries(alive));
  }
  carried.set(host, pinned);
  return { tasks: Object.fromEntries(pinned), boundPolicies: [...bound] };
}

/** A task that stays loose while the guest runs is no reason against its start. */
async function apply(
  { role }: StepOf<'affinities'>,
  _was: unknown,
  { host, note }: StepContext,
): Promise<null> {
  if (role === 'remember') return null;
  try {
    tellRefused(await pinAgain(host, carried.get(host) ?? new Map()), note);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    note(`Tasks that the kernel let loose stay so while the guest runs: ${error.message}`);
  }
  return null;
}

/**
 * The undo of `mend` comes before cpusets are widened: tasks that were pinned while the guest ran are seen there. That of
 * `remember` comes last; as long as a cpuset is not back, the kernel will let the same tasks loose once more.
 */
async function undo(
  { role, scope }: StepOf<'affinities'>,
  was: Memory<'affinities'>,
  _got: unknown,
  { host, others, own = [], note }: StepContext,
): Promise<void> {
  if (role === 'mend') {
    carried.set(host, readPinned(host, scope));
    return;
  }
  tellRefused(await pinAgain(host, addOlderPins(carried.get(host) ?? new Map(), was.tasks)), note);
  const policies = heldOf([...others, ...own], 'governor').map(({ step }) => step.policy);
  renewGovernors(host, was.boundPolicies, new Set(policies));
  if (own.some(({ step }) => step.kind === 'slice' || step.kind === 'partition')) {
    throw new HostError('Cannot forget which tasks are pinned yet: cpusets are still to be put back');
  }
}

/** Pins what is loose to those of its CPUs that it may use; gives how many tasks would not have it. */
async function pinAgain(host: Host, pins: ReadonlyMap<TaskKey, string>): Promise<number> {
  if (pins.size === 0) return 0;
  const numbers = readCpuNumbers(host);
  let refused = 0;
  for (const [key, list] of pins) {
    const wanted = looseTask(host, key, cpusOf(list), numbers);
    if (wanted === null) continue;
    const [task = ''] = key.split(':');
    const argv = ['taskset', '-pc', formatCpuList(wanted), task];
    const { status } = await host.run(argv, { timeoutMs: TIME_LIMIT_MS });
    if (status !== 0 && looseTask(host, key, cpusOf(list), numbers) !== null) refused++;
  }
  return refused;
}

function tellRefused(refused: number, note: (line: string) => void): void {
  if (refused > 0) note(`${refused} tasks could not be pinned to their CPUs again`);
}

/** Where a task must be pinned, or null where it is gone, still is, cannot be now, or was pinned elsewhere by somebody. */
function looseTask(host: Host, key: TaskKey, pin: CpuSet, numbers: CpuNumbers): CpuSet | null {
  const now = readTaskCpus(host, key);
  if (now === null) return null;
  const [task = ''] = key.split(':');
  const free = freeMasks(host, readCgroupOf(host, task) ?? '', numbers);
  const wanted = intersectionOf(pin, now);
  if (wanted.length > 0 && !sameCpus(wanted, now)) {
    return free.some((mask) => sameCpus(mask, now)) ? wanted : null;
  }
  // What we could only pin to a part of its CPUs, while another guest had the rest, is due all of them by now. With threads of
  // the kernel nobody else has a hand in it; a program that has fewer may want it so.
  const due = intersectionOf(pin, free[0] ?? []);
  const isPart = wanted.length > 0 && without(now, due).length === 0 && !sameCpus(due, now);
  return isPart && isKernelThread(host, task) ? due : null;
}

/** Adds older pins: one that a guest has shortened since, or made impossible for now, is still the one to go back to. */
function addOlderPins(
  pins: Map<TaskKey, string>,
  older: Readonly<Record<TaskKey, string>>,
): Map<TaskKey, string> {
  for (const [key, list] of Object.entries(older)) {
    const now = cpusOf(pins.get(key) ?? '');
    if (sameCpus(intersectionOf(now, cpusOf(list)), now)) pins.set(key, list);
  }
  return pins;
}

function readPinned(host: Host, scope: 'cgroups' | 'all'): Map<TaskKey, string> {
  const numbers = readCpuNumbers(host);
  return scope === 'all' ? readAllPinnedTasks(host, numbers) : readPinnedTasksInCgroups(host, numbers);
}
