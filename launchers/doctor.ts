import { profilePlace } from '../lib/apply/profile-place.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import { readFindings } from './doctor-findings.ts';
import { formatFindings } from './doctor-text.ts';
import { readDomainXml } from './domain-source.ts';
import type { Globals } from './globals.ts';

/** `passqemu doctor [guest]`: what is right and wrong with this host (and that guest) for passthrough, and what to do. 1 if anything fails. */
export async function doctor(line: CommandLine, globals: Globals): Promise<number> {
  const name = line.words[0] ?? null;
  const findings = await readFindings(globals, name === null ? null : await readNamed(name, line, globals));
  globals.out(
    globals.json
      ? JSON.stringify({ findings }, null, 2)
      : formatFindings(findings, { colour: globals.colour, verbose: globals.verbose }),
  );
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

/** The guest's XML; one with neither profile nor XML is a mistake of the caller's. */
async function readNamed(name: string, line: CommandLine, globals: Globals) {
  const { guest, path } = profilePlace(globals.configDir, name);
  const xml = await readDomainXml(guest, line, globals);
  if (xml === null && !globals.host.exists(path)) {
    throw new UsageError(
      `Cannot find ${guest}: it has no profile, and libvirt does not know it`,
      'sudo virsh list --all names libvirt’s guests; --domain FILE gives the XML',
    );
  }
  return { name, xml };
}
