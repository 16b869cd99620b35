import { readCommandPicture } from '../host/command-files.ts';
import { readCpuPicture } from '../host/cpu-picture.ts';
import { nodeKey } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import { readKnobPicture } from '../host/knobs.ts';
import { readMemoryPicture } from '../host/memory.ts';
import { readMappedKib } from '../host/qemu-processes.ts';
import { readDevicePicture } from '../host/read-device-picture.ts';
import { readDisplayPicture } from '../host/read-display-picture.ts';
import { planCommands } from '../plan/commands.ts';
import { planCpus } from '../plan/cpus.ts';
import type { DeviceInput } from '../plan/device-input.ts';
import { planDevices, takenFunctions } from '../plan/devices.ts';
import { planDisplay } from '../plan/display.ts';
import type { DisplayPart } from '../plan/display-input.ts';
import { noteDomain } from '../plan/domain-notes.ts';
import { planKnobs } from '../plan/knobs.ts';
import { planMemory } from '../plan/memory.ts';
import { wantsHugepages } from '../plan/memory-demand.ts';
import { EMPTY_PART, mergeParts, type PlanPart } from '../plan/part.ts';
import { RefusedError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import type { HeldStep, Plan } from '../words/step.ts';
import type { GuestInputs } from './guest.ts';
import { heldSteps } from './journal.ts';
import type { Journal } from './journal-text.ts';
import { wedgedFunctions } from './wedged.ts';

/**
 * Reads what the planners must know of the host, no more, and puts their parts into the order of a prepare: commands of the user,
 * sleep inhibitor and knobs, memory (before anything is taken from anybody), devices, CPUs. All refusals come at once.
 */
export function planGuest(host: Host, inputs: GuestInputs, journals: readonly Journal[]): Plan {
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
    devicePart(host, inputs, held, wedgedFunctions(host, journals)),
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

function devicePart(
  host: Host,
  { profile, domain }: GuestInputs,
  held: readonly HeldStep[],
  wedged: ReadonlySet<PciAddress>,
): PlanPart {
  const { requests } = profile.devices;
  const domainFunctions = domain?.functions ?? [];
  if (requests.length === 0 && domainFunctions.length === 0) return EMPTY_PART;
  const picture = readDevicePicture(host, requests, domainFunctions, wedged);
  // A command of the user's that runs first may see to it that they do; each unbind looks again
  const holdersMayLeave = profile.commands.prepareFirst !== null;
  const input = { wishes: profile.devices, domainFunctions, picture, held, holdersMayLeave };
  const display = displayPart(host, profile, input);
  return mergeParts(display, planDevices({ ...input, leaving: display.leaving }));
}

/** How the host's display lets go of the card; nothing is looked at where no graphics card is taken from a driver. */
function displayPart(host: Host, profile: GuestInputs['profile'], input: DeviceInput): DisplayPart {
  const taken = takenFunctions(input);
  const { handover, devices } = profile;
  if (!taken.some(({ classCode }) => pciKind(classCode) === 'display'))
    return { ...EMPTY_PART, leaving: new Set() };
  const { nodes, holders } = input.picture;
  const addresses = new Set(taken.map(({ address }) => address));
  const keys = new Set(nodes.filter(({ address, shared }) => addresses.has(address) && !shared).map(nodeKey));
  const picture = readDisplayPicture(
    host,
    [...addresses],
    holders.filter(({ key }) => keys.has(key)),
  );
  return planDisplay({
    guest: profile.guest,
    wishes: handover,
    deadlineMs: devices.deadlineMs,
    taken,
    picture,
    held: input.held,
  });
}
