import type { Host } from '../host/host.ts';
import type { Plan } from '../words/step.ts';
import { devicePart } from './device-part.ts';
import type { GuestInputs } from './guest.ts';
import type { Journal } from './journal-text.ts';
import { planParts } from './plan-parts.ts';

/** The plan of a guest, whatever it takes; a RefusedError has all reasons against it. */
export function planGuest(host: Host, inputs: GuestInputs, journals: readonly Journal[]): Plan {
  return planParts(host, inputs, journals, devicePart);
}
