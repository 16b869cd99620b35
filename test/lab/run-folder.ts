import { cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** The private files of one run: its share with the machine, its scratch disks, its console's text. */
export interface RunFolder {
  folder: string;
  share: string;
  out: string;
  console: string;
  /** QEMU's monitor, a socket. */
  monitor: string;
  nvme0: string;
  nvme1: string;
  stick: string;
}

const here = import.meta.dirname;
const built = path.join(here, '..', '..', 'dist');
const mebibyte = 1024 * 1024;

/** Makes the folder of one run. `script` is the script's name as the machine sees it, and its arguments. */
export async function makeRunFolder(script: string[], say: (line: string) => void): Promise<RunFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'passqemu-lab-'));
  const inside = (...names: string[]): string => path.join(folder, ...names);
  const run: RunFolder = {
    folder,
    share: inside('share'),
    out: inside('share', 'out'),
    console: inside('console.log'),
    monitor: inside('monitor'),
    nvme0: inside('nvme0'),
    nvme1: inside('nvme1'),
    stick: inside('stick'),
  };
  for (const name of ['bin', 'dist', 'files', 'out'])
    await mkdir(path.join(run.share, name), { recursive: true });
  await cp(path.join(here, 'guest'), path.join(run.share, 'guest'), { recursive: true });
  await cp(path.join(here, 'state-dump.sh'), path.join(run.share, 'bin', 'state-dump.sh'));
  await cp(path.join(here, '..', 'golden'), path.join(run.share, 'golden'), { recursive: true });
  await copyBundles(path.join(run.share, 'dist'), say);
  if (script.length > 0) {
    await writeFile(path.join(run.share, 'script'), script.map((word) => `${word}\0`).join(''));
  }
  await writeFile(run.console, '');
  // Large enough for a btrfs over both of the drives; holes cost nothing
  for (const [file, size] of [
    [run.nvme0, 160],
    [run.nvme1, 160],
    [run.stick, 16],
  ] as const) {
    await writeFile(file, '');
    await truncate(file, size * mebibyte);
  }
  return run;
}

/** Removes it all; `out` is copied to `target` before. */
export async function closeRunFolder(run: RunFolder, target: string | null): Promise<void> {
  if (target !== null) await cp(run.out, target, { recursive: true });
  await rm(run.folder, { recursive: true, force: true });
}

async function copyBundles(target: string, say: (line: string) => void): Promise<void> {
  for (const name of ['passqemu', 'qemu']) {
    try {
      await cp(path.join(built, name), path.join(target, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      say(`dist/${name} is missing (npm run build): the machine does not have it`);
    }
  }
}
