import { existsSync } from 'node:fs';
import { findCommand, run } from '../processes.ts';
import { LabError, type Say } from '../words.ts';

interface Tool {
  /** A command, or a file when it begins with a slash. */
  name: string;
  package: string;
}

/** What a run needs. */
export const runTools: Tool[] = [
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { name: 'setpriv', package: 'util-linux' },
];

/** What the making of an image needs. */
export const buildTools: Tool[] = [
  { name: 'mmdebstrap', package: 'mmdebstrap' },
  { name: '/usr/share/keyrings/debian-archive-keyring.gpg', package: 'debian-archive-keyring' },
  { name: 'depmod', package: 'kmod' },
  { name: 'mkfs.ext4', package: 'e2fsprogs' },
  { name: 'iasl', package: 'acpica-tools' },
  { name: 'cpio', package: 'cpio' },
  { name: 'xz', package: 'xz-utils' },
  { name: 'zstd', package: 'zstd' },
  { name: 'flock', package: 'util-linux' },
];

/** Sees to it that the tools are there: installs what is missing where it may, else says what to install. */
export async function ensureTools(tools: Tool[], say: Say): Promise<void> {
  const missing = missingPackages(tools);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || findCommand('apt-get') === null) {
    throw new LabError(`the lab needs these packages, please install them: ${missing.join(' ')}`);
  }
  say(`installing ${missing.join(' ')}`);
  const apt = ['apt-get', '--quiet', '--quiet', '--option', 'DPkg::Lock::Timeout=300'];
  await run([...apt, 'update']);
  await run([...apt, 'install', '--yes', '--no-install-recommends', ...missing], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
  const still = missingPackages(tools);
  if (still.length > 0)
    throw new LabError(`apt-get installed these packages to no avail: ${still.join(' ')}`);
}

function missingPackages(tools: Tool[]): string[] {
  const present = (name: string): boolean =>
    name.startsWith('/') ? existsSync(name) : findCommand(name) !== null;
  return [...new Set(tools.filter(({ name }) => !present(name)).map((tool) => tool.package))];
}
