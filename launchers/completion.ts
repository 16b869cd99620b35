import type { Host } from '../lib/host/host.ts';
import { readPciNames } from '../lib/host/pci-names.ts';
import { readPciTree } from '../lib/host/pci-tree.ts';
import { visible } from '../lib/inputs/parsed.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { Manual } from './command.ts';
import type { CommandLine } from './command-line.ts';
import { type Candidate, completeWords } from './complete-words.ts';
import { COMPLETION_SCRIPTS } from './completion-scripts.ts';
import type { Globals } from './globals.ts';
import { findKey, listKeys } from './key-text.ts';

/** `passqemu completion bash|zsh|fish`: prints what the shell must read; `completion candidates -- WORD…` answers what it then asks. */
export async function completion(line: CommandLine, globals: Globals, manual: Manual): Promise<number> {
  const word = line.words[0] ?? '';
  if (word === 'candidates') {
    const found = completeWords(line.rest, manual, {
      guests: () => readGuests(globals.host, typedConfigDir(line.rest) ?? globals.configDir),
      addresses: () => readAddresses(globals.host),
      keys: () => listKeys().map((key) => ({ value: key, about: findKey(key)?.help ?? '' })),
    });
    const lines = found === 'files' ? [':files'] : found.map(({ value, about }) => `${value}\t${about}`);
    for (const one of lines) globals.out(one);
    return 0;
  }
  const script = Object.hasOwn(COMPLETION_SCRIPTS, word) ? COMPLETION_SCRIPTS[word] : undefined;
  if (script === undefined)
    throw new UsageError(
      `Cannot complete for ${JSON.stringify(word)}: there are scripts for bash, zsh and fish`,
      'bash: source <(passqemu completion bash)',
    );
  globals.out(script.trimEnd());
  return 0;
}

/** The folder of profiles that stands on the line already. */
function typedConfigDir(words: readonly string[]): string | null {
  const at = words.findIndex((word) => word === '--config-dir' || word.startsWith('--config-dir='));
  if (at < 0) return null;
  return words[at] === '--config-dir' ? (words[at + 1] ?? null) : words[at]!.slice('--config-dir='.length);
}

/** Guests with a profile, and those that libvirt has (as root only). A name that a shell could not take as one line is left out. */
function readGuests(host: Host, configDir: string): string[] {
  const files = [
    ...host.list(configDir).filter((name) => /\.ini(?:\.disabled)?$/.test(name)),
    ...host.list('/etc/libvirt/qemu').filter((name) => name.endsWith('.xml')),
  ];
  const names = files.map((name) => name.replace(/\.(?:ini|ini\.disabled|xml)$/, ''));
  return [...new Set(names)].filter((name) => visible(name) === name).sort();
}

/** Every function but bridges, with its name. */
function readAddresses(host: Host): Candidate[] {
  const tree = readPciTree(host);
  const names = readPciNames(host, tree.values());
  return [...tree.values()]
    .filter(({ isBridge }) => !isBridge)
    .map((fn) => ({ value: fn.address, about: visible(names(fn) ?? `${fn.vendorId}:${fn.deviceId}`) }));
}
