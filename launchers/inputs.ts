import { type GuestInputs, readGuest } from '../lib/apply/guest.ts';
import { profilePlace } from '../lib/apply/profile-place.ts';
import { type RunGuest, readRunGuest } from '../lib/apply/run-guest.ts';
import { UsageError } from '../lib/words/errors.ts';
import { nearestName } from '../lib/words/nearest-name.ts';
import type { CommandLine } from './command-line.ts';
import { readDomainXml } from './domain-source.ts';
import type { Globals } from './globals.ts';

/** Profile and domain of the guest that a command names; no profile is a UsageError that says which there are. */
export async function readInputs(line: CommandLine, globals: Globals): Promise<GuestInputs> {
  const { host, configDir } = globals;
  const named = line.words[0] ?? '';
  const { guest, path } = profilePlace(configDir, named);
  const xml = host.exists(path) ? await readDomainXml(guest, line, globals) : null;
  const inputs = readGuest(host, configDir, named, () => xml);
  if (inputs?.domain === null) {
    const run = readRunGuest(host, configDir, named);
    if (run?.whole.describesGuest === true) return run.inputs;
  }
  if (inputs !== null) return inputs;
  return refuseNoProfile(named, globals);
}

/** The profile of a guest without libvirt that a command names; no profile, or one that describes no guest, is a UsageError. */
export function readRunInputs(line: CommandLine, globals: Globals): RunGuest {
  const named = line.words[0] ?? '';
  const { guest, path } = profilePlace(globals.configDir, named);
  const run = readRunGuest(globals.host, globals.configDir, named);
  if (run === null) return refuseNoProfile(named, globals);
  if (run.whole.describesGuest) return run;
  throw new UsageError(
    `Cannot run ${guest}: ${path} describes no guest, only what libvirt's takes of the host`,
    'It must have a section [machine] at least; passqemu import makes a profile from a domain XML',
  );
}

/** Says that there is no such profile, and which there are. */
export function refuseNoProfile(named: string, { host, configDir }: Globals): never {
  const { guest, path } = profilePlace(configDir, named);
  const known = host
    .list(configDir)
    .filter((name) => name.endsWith('.ini'))
    .map((name) => name.slice(0, -4));
  const near = nearestName(guest, known);
  throw new UsageError(
    `Cannot find a profile of ${guest}: there is no ${path}`,
    near !== null
      ? `Did you mean ${near}?`
      : known.length > 0
        ? `There are profiles of ${known.join(', ')}; passqemu enable ${guest} makes one`
        : `passqemu enable ${guest} makes one`,
  );
}
