import { nodeKey } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import { readDevicePicture } from '../host/read-device-picture.ts';
import { readDisplayPicture } from '../host/read-display-picture.ts';
import type { DeviceInput } from '../plan/device-input.ts';
import { planDevices, takenFunctions } from '../plan/devices.ts';
import { planDisplay } from '../plan/display.ts';
import type { DisplayPart } from '../plan/display-input.ts';
import { EMPTY_PART, mergeParts, type PlanPart } from '../plan/part.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import type { HeldStep } from '../words/step.ts';
import type { GuestInputs } from './guest.ts';

/** The part of a plan that takes functions, and the host's display off them. */
export function devicePart(
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
    holdersMayLeave: input.holdersMayLeave === true,
  });
}
