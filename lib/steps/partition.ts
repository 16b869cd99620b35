import {
  CGROUPS,
  cgroupPath,
  readCpuset,
  readOwnEffectiveCpus,
  readSubtreeControl,
} from '../host/cgroups.ts';
import type { Host } from '../host/host.ts';
import { formatCpuList, intersectionOf, parseCpuList, unionOf, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import type { Memory, StepOf } from '../words/step.ts';
import { partitionsHeld, undoPartition } from './partition-undo.ts';
import { cpusHeld, cpusOf } from './shared-cpus.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/** CPUs of the partition belong to the cgroup's tasks alone, and the kernel still spreads these over them ("isolated" would not). */
const PARTITION = 'root';
const CONTROL = `${CGROUPS}/cgroup.subtree_control`;

/**
 * A cpuset partition at the top of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst, "cpuset.cpus.partition"): the
 * root's own tasks lose its CPUs, guests in it keep them. Every write to the file succeeds; only reading it tells.
 */
export const partitionKind: StepKind<'partition'> = {
  describe: ({ cgroup, guestCpus }) => `set CPUs ${guestCpus} apart for the cgroup ${cgroup}`,
  describeUndo: ({ cgroup, guestCpus }) => `take CPUs ${guestCpus} from the cgroup ${cgroup}`,
  observe,
  apply,
  undo: undoPartition,
  drift,
};

function observe(step: StepOf<'partition'>, context: StepContext): Memory<'partition'> {
  const { host } = context;
  const controllers = readSubtreeControl(host, '').join(' ');
  const { cpus, partition } = readCpuset(host, step.cgroup);
  const [held] = partitionsHeld(step, context);
  if (held !== undefined && partition !== held.was.partition) return held.was;
  const existed = host.exists(cgroupPath(step.cgroup));
  return { existed, cpus: cpus ?? '', partition: partition ?? 'member', controllers };
}

function apply(step: StepOf<'partition'>, _was: Memory<'partition'>, context: StepContext): null {
  const { host } = context;
  const path = cgroupPath(step.cgroup);
  const cpus = unionOf(cpusOf(step.guestCpus), cpusHeld(partitionsHeld(step, context)));
  if (!readSubtreeControl(host, '').includes('cpuset')) host.write(CONTROL, '+cpuset');
  host.makeFolder(path, 0o755);
  host.write(`${path}/cpuset.cpus`, formatCpuList(cpus));
  if (readCpuset(host, step.cgroup).partition !== PARTITION) makePartition(host, path);
  const { partition } = readCpuset(host, step.cgroup);
  const shared = intersectionOf(readOwnEffectiveCpus(host, '') ?? cpus, cpus);
  if (partition === PARTITION && shared.length === 0) return null;
  throw new HostError(
    `Cannot set CPUs ${step.guestCpus} apart for the cgroup ${step.cgroup}: it is "${partition}", must be "${PARTITION}"`,
    { path, hint: 'No other cgroup may have any of these CPUs in its cpuset.cpus' },
  );
}

/** An invalid partition stays so on 6.1 until it has been a member again. */
function makePartition(host: Host, path: string): void {
  if (host.read(`${path}/cpuset.cpus.partition`) !== 'member') {
    host.write(`${path}/cpuset.cpus.partition`, 'member');
  }
  host.write(`${path}/cpuset.cpus.partition`, PARTITION);
}

function drift(
  step: StepOf<'partition'>,
  _was: unknown,
  _got: unknown,
  { host }: StepContext,
): string | null {
  const { cpus, partition } = readCpuset(host, step.cgroup);
  if (partition !== PARTITION)
    return `the cgroup ${step.cgroup} is "${partition ?? 'gone'}", was "${PARTITION}"`;
  const lost = without(cpusOf(step.guestCpus), parseCpuList(cpus ?? '') ?? []);
  return lost.length === 0 ? null : `the cgroup ${step.cgroup} has lost CPUs ${formatCpuList(lost)}`;
}
