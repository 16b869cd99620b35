import { writeCallerFile } from '../lib/host/caller-files.ts';
import { readConfigFile } from '../lib/host/config-file.ts';
import { readPackages } from '../lib/host/packages.ts';
import { PCI_ID_LISTS, shortenPciIds } from '../lib/host/pci-names.ts';
import { withoutPrivacy } from '../lib/host/recorded-privacy.ts';
import type { RecordedTree } from '../lib/host/recorded-tree.ts';
import { RecordingHost } from '../lib/host/recording-host.ts';
import { packSnapshot } from '../lib/host/snapshot-archive.ts';
import { parseNames } from '../lib/inputs/pseudonyms.ts';
import { callerPath } from './caller-path.ts';
import type { CommandLine } from './command-line.ts';
import { lookAtEverything } from './every-look.ts';
import type { Globals } from './globals.ts';

/** `passqemu snapshot FILE.tar.gz`: a recorded machine for --sysroot, without what tells whose it is. */
export async function snapshot(line: CommandLine, globals: Globals): Promise<number> {
  const path = callerPath(line.words[0] ?? '');
  const packed = await packSnapshot(await recordMachine(globals));
  writeCallerFile(path, packed, line.has('force'));
  globals.out(
    `${path}: ${Math.ceil(packed.length / 1024)} KiB. Serial numbers, MAC and IP addresses, UUIDs, host and user names in it are pseudonyms; look into it before you hand it out (tar tzf)`,
  );
  return 0;
}

/** Everything that the reading commands look at, as far as this user may see it. */
export async function recordMachine(globals: Globals): Promise<RecordedTree> {
  const { host, configDir, stateDir } = globals;
  const recorder = new RecordingHost(host);
  const devices = await lookAtEverything({ ...globals, host: recorder });
  const { tree } = recorder;
  for (const list of PCI_ID_LISTS) {
    const found = tree.find(list);
    if (found?.node.kind !== 'file' || found.node.bytes === null) continue;
    const bytes = Buffer.from(shortenPciIds(found.node.bytes.toString('utf8'), devices));
    replace(tree, found.path, bytes);
  }
  // What is prepared is told by the summary; journals hold whole domains
  for (const name of host.list(stateDir))
    if (name.endsWith('.jsonl')) replace(tree, `${stateDir}/${name}`, null);
  for (const name of host.list(configDir)) {
    if (name.endsWith('.ini')) readConfig(recorder, `${configDir}/${name}`);
  }
  // The image of the initramfs is large, and may hold keys
  for (const name of host.list('/boot')) if (/^init/.test(name)) replace(tree, `/boot/${name}`, null);
  const packages = await readPackages(host);
  tree.put('/.passqemu/packages', textFile(packages));
  const names = parseNames(
    host.readOptional('/proc/sys/kernel/hostname') ?? '',
    host.readOptional('/etc/passwd') ?? '',
  );
  return withoutPrivacy(tree, names);
}

function readConfig(recorder: RecordingHost, path: string): void {
  try {
    readConfigFile(recorder, path, 0);
  } catch {
    // One that is not to be trusted, or not to be read: the snapshot shows that it is there
  }
}

function textFile(lines: readonly string[]) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return { kind: 'file', bytes, mode: 0o444, uid: 0, gid: 0 } as const;
}

function replace(tree: RecordedTree, path: string, bytes: Buffer | null): void {
  const at = path.lastIndexOf('/');
  const folder = tree.find(path.slice(0, at))?.node;
  if (folder?.kind === 'folder' && folder.children.has(path.slice(at + 1)))
    folder.children.set(path.slice(at + 1), {
      kind: 'file',
      bytes,
      mode: bytes === null ? 0 : 0o444,
      uid: 0,
      gid: 0,
    });
}
