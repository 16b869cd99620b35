import { ENERGY_FILE, GOVERNOR_FILE, policyPath } from '../host/cpufreq.ts';
import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/**
 * Governor and energy preference of one cpufreq policy, held while any guest holds it (Documentation/admin-guide/pm/cpufreq.rst,
 * intel_pstate.rst, amd-pstate.rst). In active mode the governor `performance` fixes the preference and refuses another
 * one (EBUSY), so the governor always goes first.
 */
export const governorKind: StepKind<'governor'> = {
  describe: ({ policy, cpus, governor, energy }) =>
    `set ${words(governor, energy)} on ${policy} (CPUs ${cpus})`,
  describeUndo: ({ policy }, was) => `set ${words(was.governor, was.energy)} on ${policy}`,
  observe,
  apply,
  undo,
  drift,
};

function observe({ policy }: StepOf<'governor'>, { host, others }: StepContext): Memory<'governor'> {
  const held = heldOf(others, 'governor').find(({ step }) => step.policy === policy);
  return held?.was ?? readNow(host, policy);
}

function apply(
  { policy, governor, energy }: StepOf<'governor'>,
  _was: unknown,
  { host, note }: StepContext,
): { energy: string | null } | null {
  if (governor !== null) setGovernor(host, policy, governor);
  if (energy === null) return null;
  const refused = setEnergy(host, policy, energy);
  const now = readNow(host, policy);
  if (refused !== null) {
    if (refused.code !== 'EBUSY' || now.governor !== 'performance') throw refused;
    note(`${policy} keeps the energy preference ${now.energy}: the governor performance allows no other`);
  }
  return { energy: now.energy };
}

function undo(
  step: StepOf<'governor'>,
  was: Memory<'governor'>,
  got: { energy: string | null } | null | undefined,
  { host, others, note }: StepContext,
): void {
  const { policy } = step;
  if (heldOf(others, 'governor').some((other) => other.step.policy === policy)) return;
  const now = readNow(host, policy);
  // A policy whose CPUs are all offline is gone, and comes back with defaults of its own
  if (now.governor === null) return;
  if (step.governor !== null && now.governor !== step.governor && now.governor !== was.governor) {
    note(`The governor of ${policy} has been set to ${now.governor} by somebody else since: left as it is`);
    return;
  }
  // Read before the governor goes back, which may change it
  const isTheirs = isEnergyOfOthers(step, was, got, now);
  if (step.governor !== null && was.governor !== null) setGovernor(host, policy, was.governor);
  if (isTheirs) {
    note(
      `The energy preference of ${policy} has been set to ${now.energy} by somebody else since: left as it is`,
    );
    return;
  }
  if (was.energy === null || now.energy === null) return;
  const refused = setEnergy(host, policy, was.energy);
  if (refused !== null) throw refused;
}

/** Whether the preference is neither ours nor what it was; along with its governor performance the kernel sets its own. */
function isEnergyOfOthers(
  step: StepOf<'governor'>,
  was: Memory<'governor'>,
  got: { energy: string | null } | null | undefined,
  now: Memory<'governor'>,
): boolean {
  if (now.energy === was.energy || now.energy === 'performance') return false;
  // An apply that was cut short a moment ago has left what stands there now
  if (step.energy !== null && got === undefined) return false;
  return now.energy !== got?.energy;
}

function readNow(host: Host, policy: string): Memory<'governor'> {
  return {
    governor: host.readOptional(`${policyPath(policy)}/${GOVERNOR_FILE}`),
    energy: host.readOptional(`${policyPath(policy)}/${ENERGY_FILE}`),
  };
}

/** Sets the governor and looks. */
function setGovernor(host: Host, policy: string, governor: string): void {
  const path = `${policyPath(policy)}/${GOVERNOR_FILE}`;
  if (host.read(path) === governor) return;
  host.write(path, governor);
  const now = host.read(path);
  if (now !== governor) {
    throw new HostError(`Cannot set the governor of ${policy}: it is ${now}, must be ${governor}`, { path });
  }
}

/** Sets the energy preference; gives the kernel's refusal instead of throwing it. */
function setEnergy(host: Host, policy: string, energy: string): HostError | null {
  const path = `${policyPath(policy)}/${ENERGY_FILE}`;
  try {
    if (host.read(path) !== energy) host.write(path, energy);
    return null;
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}

function drift(
  { policy, governor, energy }: StepOf<'governor'>,
  _was: unknown,
  got: { energy: string | null } | null | undefined,
  { host }: StepContext,
): string | null {
  const now = readNow(host, policy);
  if (governor !== null && now.governor !== governor) {
    return `the governor of ${policy} is ${now.governor ?? 'gone'}, was set to ${governor}`;
  }
  const set = got?.energy ?? energy;
  if (set === null || now.energy === set) return null;
  return `the energy preference of ${policy} is ${now.energy ?? 'gone'}, was set to ${set}`;
}

function words(governor: string | null, energy: string | null): string {
  const parts = [
    ...(governor === null ? [] : [`the governor ${governor}`]),
    ...(energy === null ? [] : [`the energy preference ${energy}`]),
  ];
  return parts.join(' and ') || 'nothing';
}
