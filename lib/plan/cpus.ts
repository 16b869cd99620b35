import { type GuestCpus, guestCpusOf } from '../inputs/guest-cpus.ts';
import { formatCpuList, intersectionOf, without } from '../words/cpu-list.ts';
import type { Step } from '../words/step.ts';
import { checkGuestCpus } from './cpu-checks.ts';
import type { CpuPlanInput } from './cpu-input.ts';
import { planIsolation } from './cpu-isolation.ts';
import { noteRivals } from './cpu-rivals.ts';
import { planGovernors } from './governors.ts';
import { EMPTY_PART, mergeParts, type PlanPart } from './part.ts';

/** Keeps host, interrupts and unbound workqueues off the guest's CPUs, and sets how fast these run. */
export function planCpus(input: CpuPlanInput): PlanPart {
  const { profile, domain, picture } = input;
  const guest = guestCpusOf(profile, domain, picture.online);
  if (guest.cpus.length === 0) return { ...EMPTY_PART, notes: noteUnknown(input) };
  const refusals = checkGuestCpus(guest.cpus, input);
  // With CPUs that are not there or not ours, no step would mean anything
  if (refusals.length > 0) return { ...EMPTY_PART, refusals };
  const plan = mergeParts(
    planIsolation(guest.cpus, input),
    planInterrupts(guest, input),
    planWorkqueues(guest, input),
    planGovernors(guest.cpus, input),
  );
  return { ...plan, notes: [...plan.notes, ...noteRivals(guest.cpus, plan.steps, picture.rivals)] };
}

function planInterrupts({ cpus }: GuestCpus, { profile, picture }: CpuPlanInput): PlanPart {
  const { defaultIrqCpus } = picture;
  if (!profile.irqs || defaultIrqCpus === null) return EMPTY_PART;
  const face = {
    target: 'interrupts',
    from: formatCpuList(defaultIrqCpus),
    to: formatCpuList(without(defaultIrqCpus, cpus)),
  };
  return stepsOnly({ kind: 'irqs', guestCpus: formatCpuList(cpus), ...face });
}

function planWorkqueues({ cpus }: GuestCpus, { profile, picture }: CpuPlanInput): PlanPart {
  const { workqueueCpus } = picture;
  if (!profile.workqueues || workqueueCpus === null) return EMPTY_PART;
  if (intersectionOf(workqueueCpus, cpus).length === 0) return EMPTY_PART;
  const face = {
    target: 'unbound workqueues',
    from: formatCpuList(workqueueCpus),
    to: formatCpuList(without(workqueueCpus, cpus)),
  };
  return stepsOnly({ kind: 'workqueues', guestCpus: formatCpuList(cpus), ...face });
}

/** What the user may have meant when no CPUs are the guest's. */
function noteUnknown({ profile, domain, picture }: CpuPlanInput): string[] {
  const notes: string[] = [];
  if (profile.governor !== null || profile.energy !== null) {
    notes.push(
      "The governor and the energy preference of the profile do nothing: which CPUs are the guest's is not known (cpu.guest, or vcpupin for every vCPU)",
    );
  }
  const pinned = domain?.vcpuPins.size ?? 0;
  if (pinned === 0 || domain === null) return notes;
  if (domain.vcpus !== null && pinned < domain.vcpus && domain.vcpuSet === null) {
    notes.push(`Only ${pinned} of ${domain.vcpus} vCPUs are pinned: no CPUs are set apart for the guest`);
  } else if (without(picture.online, [...domain.vcpuPins.values()].flat()).length === 0) {
    notes.push('The vCPUs are pinned to all CPUs of the host: none are set apart for the guest');
  }
  return notes;
}

function stepsOnly(...steps: Step[]): PlanPart {
  return { ...EMPTY_PART, steps };
}
