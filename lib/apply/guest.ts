import { readConfigFile } from '../host/config-file.ts';
import type { Host } from '../host/host.ts';
import type { Domain } from '../inputs/domain.ts';
import { parseDomain } from '../inputs/domain-xml.ts';
import type { ValueSource } from '../inputs/merge-metadata.ts';
import type { Profile } from '../inputs/profile.ts';
import { parseSourcedProfile } from '../inputs/read-profile.ts';
import { profilePlace } from './profile-place.ts';

/** All that a plan is made from, but for the host itself. */
export interface GuestInputs {
  readonly guest: string;
  readonly profile: Profile;
  readonly sources: ReadonlyMap<string, ValueSource>;
  readonly texts: ReadonlyMap<string, string | null>;
  readonly domain: Domain | null;
  /** Profile and domain as one text: the same inputs make the same plan on the same host. */
  readonly asText: string;
}

/** Reads a guest's profile and domain; null where it has no profile. `readXml` is not called then, and gives null where there is no domain. */
export function readGuest(
  host: Host,
  configDir: string,
  guest: string,
  readXml: () => string | null,
): GuestInputs | null {
  const place = profilePlace(configDir, guest);
  const text = readConfigFile(host, place.path, process.getuid?.() ?? 0);
  if (text === null) return null;
  const xml = readXml();
  const domain = xml === null ? null : parseDomain(xml);
  const sourced = parseSourcedProfile(text, {
    ...place,
    ...(domain !== null && { metadata: domain.metadata }),
  });
  return { guest: place.guest, ...sourced, domain, asText: textOf(sourced.profile, domain) };
}

/** Not a digest of it: to load what makes one would cost each prepare more than some kilobytes of memory. */
function textOf(profile: Profile, domain: Domain | null): string {
  // The path says where it was read, not what it says
  return JSON.stringify([{ ...profile, path: '' }, domain], (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
}
