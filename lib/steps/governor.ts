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
  describe: ({ policy, cpus, governor, energy }) => `set ${words(governor, energy)} on ${policy} (CPUs ${cpus})`,
  describeUndo: ({ policy }, was) => `set ${words(was.governor, was.energy)} on ${policy}`,
  observe,
  apply,
  undo,
  drift,
};

function observe({ policy, governor, energy }: StepOf<'governor'>, { host, others }: StepContext): Memory<'governor'> {
  const now = {
    governor: host.readOptional(`${policyPath(policy)}/${GOVERNOR_FILE}`),
    energy: host.readOptional(`${policyPath(policy)}/${ENERGY_FILE}`),
  };
  const held = heldOf(others, 'governor').find(
    ({ step }) => step.policy === policy && step.governor === governor && step.energy === energy,
  );
  return held?.was ?? now;
}

function apply({ policy, governor, energy }: StepOf<'governor'>, _was: unknown, { host, note }: StepContext): null {
  if (governor !== null) set(host, policy, GOVERNOR_FILE, governor);
  if (energy === null) return null;
  const refused = trySet(host, policy, ENERGY_FILE, energy);
  if (refused === null) return null;
  const rules = host.readOptional(`${policyPath(policy)}/${GOVERNOR_FILE}`);
  if (refused.code !== 'EBUSY' || rules !== 'performance') throw refused;
  const now = host.readOptional(`${policyPath(policy)}/${ENERGY_FILE}`);
  note(`${policy} keeps the energy preference ${now}: the governor performance allows no other`);
  return null;
}

function undo(step: StepOf<'governor'>, was: Memory<'governor'>, _got: unknown, context: StepContext): void {
  const { host, others, note } = context;
  const { policy } = step;
  // A policy that is gone (all its CPUs offline) comes back with defaults of its own
  if (!host.exists(`${policyPath(policy)}/${GOVERNOR_FILE}`)) return;
  if (heldOf(others, 'governor').some((other) => other.step.policy === policy)) return;
  const now = {
    governor: host.readOptional(`${policyPath(policy)}/${GOVERNOR_FILE}`),
    energy: host.readOptional(`${policyPath(policy)}/${ENERGY_FILE}`),
  };
  if (isTheirs(now.governor, step.governor, was.governor)) {
    note(`The governor of ${policy} has been set to ${now.governor} by somebody else since: left as it is`);
    return;
  }
  // The kernel itself sets the preference to performance along with the governor
  const ours = step.energy ?? 'performance';
  if (isTheirs(now.energy, ours, was.energy) && now.energy !== 'performance') {
    note(`The energy preference of ${policy} has been set to ${now.energy} by somebody else since: left as it is`);
    if (step.governor !== null && was.governor !== null) set(host, policy, GOVERNOR_FILE, was.governor);
    return;
  }
  if (step.governor !== null && was.governor !== null) set(host, policy, GOVERNOR_FILE, was.governor);
  if (was.energy !== null) set(host, policy, ENERGY_FILE, was.energy);
}

function drift({ policy, governor, energy }: StepOf<'governor'>, _was: unknown, _got: unknown, { host }: StepContext): string | null {
  const now = host.readOptional(`${policyPath(policy)}/${GOVERNOR_FILE}`);
  if (governor !== null && now !== governor) return `the governor of ${policy} is ${now ?? 'gone'}, was set to ${governor}`;
  if (energy === null || now === 'performance') return null;
  const preference = host.readOptional(`${policyPath(policy)}/${ENERGY_FILE}`);
  return preference === energy ? null : `the energy preference of ${policy} is ${preference ?? 'gone'}, was set to ${energy}`;
}

function isTheirs(now: string | null, ours: string | null, before: string | null): boolean {
  return ours !== null && now !== ours && now !== before;
}

/** Sets one of a policy's values and looks. */
function set(host: Host, policy: string, file: string, value: string): void {
  const refused = trySet(host, policy, file, value);
  if (refused !== null) throw refused;
}

/** The same; gives the failure of the write itself instead of throwing it. */
function trySet(host: Host, policy: string, file: string, value: string): HostError | null {
  const path = `${policyPath(policy)}/${file}`;
  if (host.read(path) === value) return null;
  try {
    host.write(path, value);
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
  const now = host.read(path);
  if (now === value) return null;
  throw new HostError(`Cannot set ${value} in ${path}: it reads ${now}`, { path });
}

function words(governor: string | null, energy: string | null): string {
  const parts = [
    ...(governor === null ? [] : [`the governor ${governor}`]),
    ...(energy === null ? [] : [`the energy preference ${energy}`]),
  ];
  return parts.join(' and ') || 'nothing';
}
