import { cgroupPath, readCpusetList, readOwnEffectiveCpus } from '../host/cgroups.ts';
import type { Host } from '../host/host.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import { allowedCpusDropIn } from '../host/systemd.ts';
import { type CpuSet, formatCpuList, intersectionOf, unionOf, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { awaitLateCalls, setAllowedCpus } from './set-allowed-cpus.ts';
import { cpusHeld, cpusOf } from './shared-cpus.ts';
import { readDropIn, whoseDropIn, whoseList } from './slice-value.ts';
import type { StepContext } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

const PATIENCE_MS = 5_000;

/**
 * Gives a unit its CPUs back: those of other guests stay off it, and the last guest restores systemd's setting, the
 * cgroup and our drop-in file as they were.
 */
export async function undoSlice(
  { unit, guestCpus }: StepOf<'slice'>,
  was: Memory<'slice'>,
  got: { certain: boolean } | undefined,
  { host, others, note }: StepContext,
): Promise<void> {
  if (got?.certain !== true) await awaitLateCalls(host);
  const held = heldOf(others, 'slice').filter(({ step }) => step.unit === unit);
  const othersCpus = cpusHeld(held);
  const guests = unionOf(cpusOf(guestCpus), othersCpus);
  const dropIn = readDropIn(host, unit);
  const isTouched = dropIn !== was.dropIn;
  const live = whoseList(readCpusetList(host, unit), was, guests);
  if ((isTouched && whoseDropIn(dropIn, was, guests) === 'theirs') || live === 'theirs') {
    note(`AllowedCPUs of ${unit} has been changed by somebody else since: left as it is`);
    // Their persistent setting stands in another file; ours would only come back with the next daemon-reload
    if (isTouched && whoseDropIn(dropIn, was, guests) === 'ours') restoreDropIn(host, unit, was.dropIn);
    return;
  }
  if (!isTouched && live !== 'ours') return;

  if (held.length > 0) {
    const target = without(cpusOf(was.effective), othersCpus);
    await setAllowedCpus(host, unit, target);
    await seeCpus(host, unit, target);
    return;
  }
  const wide = wideCpus(host, was);
  // Before systemd unsets it: where that takes the controller away, 6.12 leaves tasks with the CPUs that they had until then
  if (was.allowed === '') widenCgroup(host, unit, wide);
  await setAllowedCpus(host, unit, cpusOf(was.allowed));
  if (was.allowed === '') widenCgroup(host, unit, wide);
  await seeCpus(host, unit, wide);
  restoreDropIn(host, unit, was.dropIn);
}

/** What the unit could use before, and CPUs that have come online since where systemd did not limit it. */
function wideCpus(host: Host, was: Memory<'slice'>): CpuSet {
  if (was.allowed !== '') return cpusOf(was.allowed);
  return unionOf(cpusOf(was.effective), without(readOnlineCpus(host), cpusOf(was.online)));
}

/**
 * systemd unsets AllowedCPUs by writing an empty cpuset.cpus, which the kernel refuses for a cgroup with tasks (ENOSPC):
 * unless the controller goes away altogether, the old list would stay in force.
 */
function widenCgroup(host: Host, unit: string, wide: CpuSet): void {
  if (canUse(host, unit, wide)) return;
  try {
    host.write(`${cgroupPath(unit)}/cpuset.cpus`, formatCpuList(wide));
  } catch (error) {
    // systemd has taken the controller away in the meantime, and the limit with it
    if (!(error instanceof HostError) || !['ENOENT', 'ENODEV'].includes(error.code ?? '')) throw error;
  }
}

async function seeCpus(host: Host, unit: string, wanted: CpuSet): Promise<void> {
  if (await waitUntil(host, PATIENCE_MS, () => canUse(host, unit, wanted))) return;
  const effective = readOwnEffectiveCpus(host, unit);
  throw new HostError(
    `Cannot give ${unit} its CPUs back: it may use ${formatCpuList(effective ?? [])}, must be ${formatCpuList(wanted)}`,
  );
}

/** Whether the unit may use these CPUs, as far as they are there to be used; one without a cpuset may use all. */
function canUse(host: Host, unit: string, cpus: CpuSet): boolean {
  const effective = readOwnEffectiveCpus(host, unit);
  if (effective === null) return true;
  const usable = readOwnEffectiveCpus(host, '') ?? readOnlineCpus(host);
  return without(intersectionOf(cpus, usable), effective).length === 0;
}

function restoreDropIn(host: Host, unit: string, text: string | null): void {
  const path = allowedCpusDropIn(unit);
  if (readDropIn(host, unit) === text) return;
  if (text !== null) {
    host.replaceFile(path, text, 0o644);
    return;
  }
  host.remove(path);
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (host.list(folder).length === 0) host.remove(folder);
}
