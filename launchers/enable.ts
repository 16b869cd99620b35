import { profilePlace } from '../lib/apply/profile-place.ts';
import type { DomainFunction } from '../lib/inputs/domain.ts';
import { parseDomain } from '../lib/inputs/domain-xml.ts';
import { formatMinimalProfile, type MinimalDevice } from '../lib/inputs/profile-writer.ts';
import { RefusedError, UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import { readDeviceAbout } from './device-line.ts';
import { readDomainXml } from './domain-source.ts';
import type { Globals } from './globals.ts';

/** `passqemu enable <guest>`: makes a minimal profile, so that the hook manages this libvirt guest from its next start on. */
export async function enable(line: CommandLine, globals: Globals): Promise<number> {
  const { host, configDir } = globals;
  const { guest, path } = profilePlace(configDir, line.words[0] ?? '');
  if (host.exists(path) && !line.has('force')) {
    throw new RefusedError(
      `Cannot enable ${guest}: ${path} is there already`,
      [],
      'Edit it, or give --force to write it anew',
    );
  }
  const xml = await readDomainXml(guest, line, globals);
  if (xml === null) {
    throw new UsageError(
      `Cannot enable ${guest}: libvirt knows no guest of this name`,
      'sudo virsh list --all shows the names; --domain FILE names an XML; for a guest without libvirt write the profile yourself (docs/profile.md)',
    );
  }
  const domain = parseDomain(xml);
  if (domain.name !== guest)
    throw new UsageError(`Cannot enable ${guest}: the XML is that of "${domain.name}"`);
  const counts = new Map<string, number>();
  const devices = domain.functions.map((one) => deviceOf(one, counts, globals));
  host.makeFolder(path.slice(0, path.lastIndexOf('/')), 0o755);
  host.replaceFile(path, formatMinimalProfile({ guest, devices }), 0o644);
  if (globals.json)
    globals.out(
      JSON.stringify({ guest, profile: path, devices: domain.functions.map(({ address }) => address) }),
    );
  else
    globals.out(
      `${guest} is enabled by ${path}; passqemu plan ${guest} shows what its next start will change`,
    );
  return 0;
}

/** `passqemu disable <guest>`: puts the profile aside; what the guest holds now is still released when it stops. */
export async function disable(line: CommandLine, { host, configDir, out, json }: Globals): Promise<number> {
  const { guest, path } = profilePlace(configDir, line.words[0] ?? '');
  const text = host.readOptional(path);
  if (text === null) throw new UsageError(`Cannot disable ${guest}: it has no profile ${path}`);
  host.replaceFile(`${path}.disabled`, `${text}\n`, 0o644);
  host.remove(path);
  out(
    json
      ? JSON.stringify({ guest, kept: `${path}.disabled` })
      : `${guest} is disabled; its profile is kept as ${path}.disabled`,
  );
  return 0;
}

/** A device by its address, with the identity that must be found there at every start. */
function deviceOf(
  { address }: DomainFunction,
  counts: Map<string, number>,
  { host }: Globals,
): MinimalDevice {
  const { kind, identity, comment } = readDeviceAbout(host, address);
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  const label = count === 1 ? kind : `${kind}-${count}`;
  return { request: { label, selector: { by: 'address', address }, identity }, comment };
}
