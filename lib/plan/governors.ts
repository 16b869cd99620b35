import type { CpuPolicy } from '../host/cpufreq.ts';
import { type CpuSet, formatCpuList, intersectionOf } from '../words/cpu-list.ts';
import type { Refusal } from '../words/errors.ts';
import { type HeldStep, heldOf, type StepOf } from '../words/step.ts';
import type { CpuPlanInput } from './cpu-input.ts';
import { EMPTY_PART, type PlanPart } from './part.ts';

/**
 * What does nearly the same where a governor does not exist, the nearest first. In active mode (intel_pstate, amd-pstate-epp)
 * `powersave` is the one that follows the load; with every other driver it is the lowest frequency, and no stand-in.
 */
const STAND_INS: Readonly<Record<string, readonly string[]>> = {
  schedutil: ['ondemand', 'conservative'],
  ondemand: ['schedutil', 'conservative'],
  conservative: ['ondemand', 'schedutil'],
};
const ACTIVE_MODE: readonly string[] = ['performance', 'powersave'];

/** Sets governor and energy preference on every policy that has CPUs of the guest. */
export function planGovernors(cpus: CpuSet, input: CpuPlanInput): PlanPart {
  const { profile, picture } = input;
  if (profile.governor === null && profile.energy === null) return EMPTY_PART;
  if (picture.policies.length === 0) {
    const notes = [
      'The governor and the energy preference are left alone: this host has no frequency scaling (it may be a VM)',
    ];
    return { ...EMPTY_PART, notes };
  }
  const steps: StepOf<'governor'>[] = [];
  const refusals = new Map<string, Refusal>();
  const notes = new Set<string>();
  for (const policy of picture.policies) {
    const governor = chooseGovernor(policy, input);
    const energy = chooseEnergy(policy, input);
    const trouble =
      governor.refusal ?? energy.refusal ?? refuseHeld(policy, governor.value, energy.value, input.held);
    for (const { note } of [governor, energy]) if (note !== undefined) notes.add(note);
    if (trouble !== undefined) refusals.set(trouble.summary, trouble);
    else if (governor.value !== null || energy.value !== null) {
      steps.push(stepOf(policy, cpus, governor.value, energy.value));
    }
  }
  return { steps, refusals: [...refusals.values()], notes: [...notes] };
}

interface Choice {
  readonly value: string | null;
  readonly note?: string;
  readonly refusal?: Refusal;
}

function chooseGovernor(policy: CpuPolicy, { profile, picture }: CpuPlanInput): Choice {
  const { governor: wanted } = profile;
  const { governors } = policy;
  if (wanted === null || governors.length === 0 || governors.includes(wanted)) return { value: wanted };
  const isActiveMode = governors.length > 0 && governors.every((name) => ACTIVE_MODE.includes(name));
  if (picture.governorLoadable && !isActiveMode) return { value: wanted };
  const standIns =
    isActiveMode && STAND_INS[wanted] !== undefined ? ['powersave'] : (STAND_INS[wanted] ?? []);
  const instead = standIns.find((name) => governors.includes(name));
  const driver = policy.driver ?? 'this driver';
  if (instead !== undefined) {
    return {
      value: instead,
      note: `The governor is ${instead} instead of ${wanted}, which ${driver} does not have`,
    };
  }
  return {
    value: null,
    refusal: {
      id: 'governor-missing',
      summary: `Cannot set the governor ${wanted}: ${driver} has only ${governors.join(', ')}`,
      remedy: 'Name one of these in cpu.governor',
    },
  };
}

function chooseEnergy(policy: CpuPolicy, { profile }: CpuPlanInput): Choice {
  const { energy: wanted } = profile;
  if (wanted === null) return { value: null };
  if (policy.energy === null) {
    return {
      value: null,
      note: `The energy preference is left alone: ${policy.driver ?? 'this driver'} has none`,
    };
  }
  // A number is a preference too, and is in no list
  if (policy.energies.length === 0 || policy.energies.includes(wanted) || /^\d{1,3}$/.test(wanted))
    return { value: wanted };
  return {
    value: null,
    refusal: {
      id: 'energy-missing',
      summary: `Cannot set the energy preference ${wanted}: ${policy.driver ?? 'this driver'} has only ${policy.energies.join(', ')}`,
      remedy: 'Name one of these in cpu.energy',
    },
  };
}

/** A policy is one setting for all its CPUs: guests that share one must want the same. */
function refuseHeld(
  policy: CpuPolicy,
  governor: string | null,
  energy: string | null,
  held: readonly HeldStep[],
): Refusal | undefined {
  const other = heldOf(held, 'governor').find(
    ({ step }) => step.policy === policy.name && (step.governor !== governor || step.energy !== energy),
  );
  if (other === undefined) return undefined;
  const theirs = [other.step.governor, other.step.energy].filter((word) => word !== null).join(' and ');
  return {
    id: 'governor-held',
    summary: `Cannot set the governor of ${policy.name} (CPUs ${formatCpuList(policy.cpus)}): ${other.guest} shares these CPUs' frequency and has it at ${theirs}`,
    remedy: `Use the same governor and energy preference as ${other.guest}, or CPUs of other policies`,
  };
}

function stepOf(
  policy: CpuPolicy,
  cpus: CpuSet,
  governor: string | null,
  energy: string | null,
): StepOf<'governor'> {
  const words = (...parts: (string | null)[]) => parts.filter((part) => part !== null).join(', ') || null;
  return {
    kind: 'governor',
    policy: policy.name,
    cpus: formatCpuList(intersectionOf(policy.cpus, cpus)),
    governor,
    energy,
    target: policy.name,
    from: words(governor && policy.governor, energy && policy.energy),
    to: words(governor, energy),
  };
}
