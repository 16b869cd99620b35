import {
  CGROUPS,
  cgroupPath,
  listChildCgroups,
  readCpuset,
  readOwnEffectiveCpus,
  readSubtreeControl,
} from '../host/cgroups.ts';
import type { Host } from '../host/host.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import {
  type CpuSet,
  formatCpuList,
  intersectionOf,
  parseCpuList,
  unionOf,
  without,
} from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { type HeldStepOf, heldOf, type Memory, type StepOf } from '../words/step.ts';
import { cpusHeld, cpusOf } from './shared-cpus.ts';
import type { StepContext } from './step-kind.ts';

/** The partition steps of other guests on the same cgroup. */
export function partitionsHeld(
  step: StepOf<'partition'>,
  { others }: StepContext,
): readonly HeldStepOf<'partition'>[] {
  return heldOf(others, 'partition').filter((other) => other.step.cgroup === step.cgroup);
}

/** Gives the guest's CPUs back to the root; the last guest takes the partition, the cgroup and the controller away where it brought them. */
export function undoPartition(
  step: StepOf<'partition'>,
  was: Memory<'partition'>,
  _got: unknown,
  context: StepContext,
): void {
  const { host, note } = context;
  const path = cgroupPath(step.cgroup);
  const othersCpus = cpusHeld(partitionsHeld(step, context));
  const now = readCpuset(host, step.cgroup);
  const guests = unionOf(cpusOf(step.guestCpus), othersCpus);
  if (now.partition !== null && isTheirs(now.cpus, was, guests, readOnlineCpus(host))) {
    note(`cpuset.cpus of the cgroup ${step.cgroup} has been changed by somebody else since: left as it is`);
    return;
  }
  if (othersCpus.length > 0) {
    if (now.partition !== null && now.partition !== was.partition) {
      host.write(`${path}/cpuset.cpus`, formatCpuList(othersCpus));
    }
  } else {
    if (now.partition !== null) takeBack(host, path, was, now.partition);
    if (!was.existed && !removeCgroup(host, step.cgroup))
      note(`The cgroup ${step.cgroup} is in use by now: left where it is`);
    dropController(host, was);
  }
  seeCpus(host, step, othersCpus);
}

/** Whether cpuset.cpus holds what neither we have put there nor was there before. */
function isTheirs(list: string | null, was: Memory<'partition'>, guests: CpuSet, online: CpuSet): boolean {
  if (list === null || list === '' || list === was.cpus) return false;
  const cpus = parseCpuList(list) ?? [];
  // All of them is what a cgroup with tasks gets from undo, because the kernel lets nobody empty it
  return without(cpus, guests).length > 0 && without(online, cpus).length > 0;
}

function takeBack(host: Host, path: string, was: Memory<'partition'>, partition: string): void {
  if (partition !== was.partition) host.write(`${path}/cpuset.cpus.partition`, was.partition);
  if (host.read(`${path}/cpuset.cpus`) === was.cpus) return;
  try {
    host.write(`${path}/cpuset.cpus`, was.cpus === '' ? '\n' : was.cpus);
  } catch (error) {
    if (!hasCode(error, 'ENOSPC') || !isPopulated(host, path)) throw error;
    host.write(`${path}/cpuset.cpus`, formatCpuList(readOnlineCpus(host)));
  }
}

/** False where others have tasks or cgroups of theirs in it. */
function removeCgroup(host: Host, cgroup: string): boolean {
  const path = cgroupPath(cgroup);
  try {
    host.remove(path);
    return true;
  } catch (error) {
    const isInUse = isPopulated(host, path) || listChildCgroups(host, cgroup).length > 0;
    if (!hasCode(error, 'EBUSY', 'ENOTEMPTY') || !isInUse) throw error;
    return false;
  }
}

/** Takes the cpuset controller away from the root's children if we gave it, unless one of them has passed it on by now. */
function dropController(host: Host, was: Memory<'partition'>): void {
  if (was.controllers.split(' ').includes('cpuset')) return;
  if (!readSubtreeControl(host, '').includes('cpuset')) return;
  try {
    host.write(`${CGROUPS}/cgroup.subtree_control`, '-cpuset');
  } catch (error) {
    const isPassedOn = listChildCgroups(host, '').some((child) =>
      readSubtreeControl(host, child).includes('cpuset'),
    );
    if (!hasCode(error, 'EBUSY') || !isPassedOn) throw error;
  }
}

/** Whether the cgroup, or one below it, has tasks. */
function isPopulated(host: Host, path: string): boolean {
  return /^populated 1$/m.test(host.readOptional(`${path}/cgroup.events`) ?? '');
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof HostError && codes.includes(error.code ?? '');
}

function seeCpus(host: Host, step: StepOf<'partition'>, othersCpus: CpuSet): void {
  const effective = readOwnEffectiveCpus(host, '') ?? readOnlineCpus(host);
  const freed = without(intersectionOf(cpusOf(step.guestCpus), readOnlineCpus(host)), othersCpus);
  const missing = without(freed, effective);
  if (missing.length === 0) return;
  throw new HostError(
    `Cannot give CPUs ${formatCpuList(missing)} back to the host: the root cgroup may use ${formatCpuList(effective)}`,
    { path: `${CGROUPS}/cpuset.cpus.effective` },
  );
}
