import { readCommandPicture } from '../host/command-files.ts';
import { readCpuPicture } from '../host/cpu-picture.ts';
import type { Host } from '../host/host.ts';
import { readKnobPicture } from '../host/knobs.ts';
import { readMemoryPicture } from '../host/memory.ts';
import { readMappedKib } from '../host/qemu-processes.ts';
import { planCommands } from '../plan/commands.ts';
import { planCpus } from '../plan/cpus.ts';
import { noteDomain } from '../plan/domain-notes.ts';
import { planKnobs } from '../plan/knobs.ts';
import { planMemory } from '../plan/memory.ts';
import { wantsHugepages } from '../plan/memory-demand.ts';
import { EMPTY_PART, mergeParts, type PlanPart } from '../plan/part.ts';
import { RefusedError } from '../words/errors.ts';
import type { HeldStep, Plan } from '../words/step.ts';
import type { devicePart } from './device-part.ts';
import type { GuestInputs } from './guest.ts';
import { heldSteps } from './journal.ts';
import type { Journal } from './journal-text.ts';
import { wedgedFunctions } from './wedged.ts';

/**
 * Reads what the planners must know of the host, no more, and puts their parts into the order of a prepare: commands of the user,
 * sleep inhibitor and knobs, memory (before anything is taken from anybody), devices, CPUs. All refusals come at once.
 * `devices` is the part that takes functions, null where the guest has none: it is much to load.
 */
export function planParts(
  host: Host,
  inputs: GuestInputs,
  journals: readonly Journal[],
  devices: typeof devicePart | null,
): Plan {
  const { guest, profile, domain } = inputs;
  const held = heldSteps(journals);
  const commands = planCommands(profile.commands, readCommandPicture(host, profile.commands));
  const knobs = planKnobs({
    guest,
    profile: profile.knobs,
    picture: readKnobPicture(host, profile.knobs),
    others: held,
  });
  const plan = mergeParts(
    commands.first,
    knobs,
    memoryPart(host, inputs, held),
    devices?.(host, inputs, held, wedgedFunctions(host, journals)) ?? EMPTY_PART,
    planCpus({ profile: profile.cpu, domain, picture: readCpuPicture(host, profile.cpu, domain), held }),
    commands.last,
  );
  if (plan.refusals.length > 0) {
    const count = plan.refusals.length;
    throw new RefusedError(
      `Cannot start ${guest}: ${count === 1 ? 'there is one reason against it' : `there are ${count} reasons against it`}`,
      plan.refusals,
    );
  }
  const hasDevices = plan.steps.some(({ kind }) => kind === 'driver');
  const hasOwnCpus = plan.steps.some(({ kind }) => kind === 'slice' || kind === 'partition');
  const notes = [...plan.notes, ...noteDomain(domain, hasDevices, hasOwnCpus)];
  return { guest, uuid: domain?.uuid ?? null, steps: plan.steps, notes };
}

function memoryPart(host: Host, { profile, domain }: GuestInputs, others: readonly HeldStep[]): PlanPart {
  if (!wantsHugepages(profile, domain)) return EMPTY_PART;
  const promised = others.some(({ step }) => step.kind === 'hugepages');
  const mappedKib = promised ? readMappedKib(host) : new Map<string, number>();
  return planMemory({ profile, domain, picture: readMemoryPicture(host), others, mappedKib });
}
