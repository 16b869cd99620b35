import { readOwnEffectiveCpus } from '../host/cgroups.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import { readAllowedCpus } from '../host/systemd.ts';
import { type CpuSet, formatCpuList, intersectionOf, sameCpus, unionOf, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { setAllowedCpus } from './set-allowed-cpus.ts';
import { cpusHeld, cpusOf } from './shared-cpus.ts';
import { undoSlice } from './slice-undo.ts';
import { readDropIn, whoseDropIn } from './slice-value.ts';
import type { StepContext, StepKind } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

/** How long systemd may take from its answer to the cgroup. */
const PATIENCE_MS = 5_000;

/**
 * AllowedCPUs of a systemd unit (systemd.resource-control(5)), set at run time to its base minus the CPUs of all guests.
 * The cgroup's effective set is what counts (Documentation/admin-guide/cgroup-v2.rst): a service's own narrower set stays.
 */
export const sliceKind: StepKind<'slice'> = {
  describe: ({ unit, guestCpus }) => `keep ${unit} off CPUs ${guestCpus}`,
  describeUndo: ({ unit, guestCpus }) => `let ${unit} use CPUs ${guestCpus} again`,
  observe,
  apply,
  undo: undoSlice,
  // A call to systemd that a killed process has sent may still be on its way
  settle: () => ({ certain: false }),
  settleUndo: () => ({ certain: false }),
  drift,
};

/** Another guest's base where the unit is as that guest's steps left it; else what is there now. */
function observe({ unit }: StepOf<'slice'>, { host, others }: StepContext): Memory<'slice'> {
  const dropIn = readDropIn(host, unit);
  const held = heldOf(others, 'slice').filter(({ step }) => step.unit === unit);
  const base = held.find(
    ({ was }) => dropIn !== was.dropIn && whoseDropIn(dropIn, was, cpusHeld(held)) === 'ours',
  );
  if (base !== undefined) return base.was;
  const online = readOnlineCpus(host);
  const effective = readOwnEffectiveCpus(host, unit) ?? online;
  const { allowed } = readAllowedCpus(host, unit);
  return { allowed, effective: formatCpuList(effective), online: formatCpuList(online), dropIn };
}

async function apply(
  step: StepOf<'slice'>,
  was: Memory<'slice'>,
  { host, others }: StepContext,
): Promise<{ certain: boolean }> {
  const { unit, guestCpus } = step;
  const base = cpusOf(was.effective);
  const held = heldOf(others, 'slice').filter((other) => other.step.unit === unit);
  const guests = unionOf(cpusOf(guestCpus), cpusHeld(held));
  const wanted = without(base, guests);
  if (wanted.length === 0) {
    throw new HostError(
      `Cannot keep ${unit} off CPUs ${guestCpus}: it has only ${was.effective}, must keep one`,
    );
  }
  if (sameCpus(wanted, base)) return { certain: true };
  await setAllowedCpus(host, unit, wanted);
  const isOff = (): boolean => {
    const effective = readOwnEffectiveCpus(host, unit);
    // A unit that is not running has no cgroup; a running one without a cpuset may still use everything
    if (effective === null) return !host.exists(`/sys/fs/cgroup/${unit}`);
    return effective.length > 0 && without(effective, wanted).length === 0;
  };
  if (!(await waitUntil(host, PATIENCE_MS, isOff))) {
    throw new HostError(
      `Cannot keep ${unit} off CPUs ${guestCpus}: ${mayUse(readOwnEffectiveCpus(host, unit))}, must be ${formatCpuList(wanted)}`,
    );
  }
  return { certain: true };
}

function drift(
  step: StepOf<'slice'>,
  was: Memory<'slice'>,
  _got: unknown,
  { host }: StepContext,
): string | null {
  const { unit, guestCpus } = step;
  const effective = readOwnEffectiveCpus(host, unit);
  if (effective === null && !host.exists(`/sys/fs/cgroup/${unit}`)) return null;
  const may = effective ?? readOnlineCpus(host);
  const back = intersectionOf(intersectionOf(may, cpusOf(guestCpus)), cpusOf(was.effective));
  return back.length === 0 ? null : `${unit} may use CPUs ${formatCpuList(back)} again`;
}

function mayUse(effective: CpuSet | null): string {
  return effective === null ? 'it has no cpuset' : `it may use ${formatCpuList(effective)}`;
}
