import type { DevicePicture } from '../host/device-picture.ts';
import type { PciFunction } from '../host/pci-function.ts';
import type { DomainFunction } from '../inputs/domain.ts';
import type { Profile } from '../inputs/profile.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { HeldStep } from '../words/step.ts';

/** What the planner of devices decides from. */
export interface DeviceInput {
  readonly wishes: Profile['devices'];
  readonly domainFunctions: readonly DomainFunction[];
  readonly picture: DevicePicture;
  /** Live steps of all other guests. */
  readonly held: readonly HeldStep[];
  /**
   * Whether a command of the user's runs before anything is taken: then whoever has a node open is only told, because the
   * command may end that, and each unbind looks again.
   */
  readonly holdersMayLeave?: boolean;
  /** Processes that the hand-over of the display will have ended by then. */
  readonly leaving?: ReadonlySet<number>;
}

/** A function that the guest shall have. */
export interface Chosen {
  readonly fn: PciFunction;
  /** How people know it: the address, with the profile's label for it. */
  readonly name: string;
  /** We take it, or claim it where it is on VFIO already; else libvirt takes it. */
  readonly ours: boolean;
}

/** "0000:01:00.0 (gpu)", or the bare address where the profile has no word for it. */
export function nameOf(address: PciAddress, label: string | null): string {
  return label === null || label === address ? address : `${address} (${label})`;
}

/** "a", "a and b", "a, b and c"; of a long list the first few and how many more there are. */
export function listed(words: readonly string[], most = 12): string {
  if (words.length > most) return `${words.slice(0, most).join(', ')} and ${words.length - most} more`;
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
