import { readConfigFile } from '../host/config-file.ts';
import type { Host } from '../host/host.ts';
import type { Profile } from '../inputs/profile.ts';
import { parseSourcedProfile } from '../inputs/read-profile.ts';
import { parseRunProfile } from '../inputs/read-run-profile.ts';
import { hostHalfOf } from '../inputs/run-host-half.ts';
import type { WholeProfile } from '../inputs/run-profile.ts';
import type { GuestInputs } from './guest.ts';
import { profilePlace } from './profile-place.ts';

/** A guest without libvirt: what the planners of the host need, and what its QEMU is made from. */
export interface RunGuest {
  readonly inputs: GuestInputs;
  readonly whole: WholeProfile;
}

/** Reads a guest's profile as that of one without libvirt; null where it has none. */
export function readRunGuest(host: Host, configDir: string, guest: string): RunGuest | null {
  const place = profilePlace(configDir, guest);
  const text = readConfigFile(host, place.path, process.getuid?.() ?? 0);
  if (text === null) return null;
  const whole = parseRunProfile(text, place);
  const { sources, texts } = parseSourcedProfile(text, place);
  const profile: Profile = hostHalfOf(whole);
  const asText = JSON.stringify([{ ...profile, path: '' }, whole.run]);
  return { inputs: { guest: place.guest, profile, sources, texts, domain: null, asText }, whole };
}
