import { readOwnFile, readStandardInput } from '../lib/host/standard-input.ts';
import { LARGEST_DOMAIN_BYTES } from '../lib/inputs/hook-call.ts';
import { HostError, UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';

/** libvirt answers at once or not at all; it must not hold up a person for ever. */
const ASK_MS = 20_000;

/**
 * The domain XML of a guest for commands that a person runs: the file that --domain names, else what libvirt knows of that
 * name; null where neither has one. Never used inside the hook: libvirt holds the domain's lock there.
 */
export async function readDomainXml(
  guest: string,
  line: CommandLine,
  { host }: Globals,
): Promise<string | null> {
  const file = line.value('domain');
  if (file === '-') return readStandardInput(LARGEST_DOMAIN_BYTES);
  if (file !== null) return readNamed(file);
  if (host.root !== '/') return null;
  try {
    const argv = ['virsh', '--connect', 'qemu:///system', 'dumpxml', '--inactive', '--', guest];
    const { status, stdout } = await host.run(argv, { timeoutMs: ASK_MS });
    return status === 0 ? stdout : null;
  } catch (error) {
    // No libvirt here: the profile says it all
    if (error instanceof HostError) return null;
    throw error;
  }
}

/** A file of the caller's, wherever the host is read from. */
function readNamed(file: string): string {
  const path = file.startsWith('/') ? file : `${process.cwd()}/${file}`;
  const text = readOwnFile(path, LARGEST_DOMAIN_BYTES);
  if (text === null) throw new UsageError(`Cannot read ${path}: there is no such file`);
  return text;
}
