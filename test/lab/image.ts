import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildImage } from './build/build.ts';
import { buildTools, ensureTools } from './build/tools.ts';
import { withLock } from './lock.ts';
import { primeImage } from './prime.ts';
import type { Say, Suite } from './words.ts';

/** The files that a machine of one suite is started from. */
export interface Image {
  kernel: string;
  initrd: string;
  disk: string;
  pStates: string;
}

const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'passqemu-lab');

/** How many images of a suite stay: this one, one for another checkout, and one for the way back. */
const kept = 3;

/** The image of a suite, built now if this checkout's builder has not built it before. */
export async function ensureImage(suite: Suite, say: Say): Promise<Image> {
  const folder = path.join(cache, `${suite}-${await imageKey(suite)}`);
  if (!existsSync(folder)) {
    await ensureTools(buildTools, say);
    await mkdir(cache, { recursive: true });
    await withLock(path.join(cache, `${suite}.lock`), say, async () => {
      if (existsSync(folder)) return;
      await build(suite, folder, say);
      await removeOld(suite);
    });
  }
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
  return imageIn(folder);
}

/** The image whose files are in `folder`. */
function imageIn(folder: string): Image {
  const file = (name: string): string => path.join(folder, name);
  return {
    kernel: file('vmlinux'),
    initrd: file('initrd'),
    disk: file('root.ext4'),
    pStates: file('p-states.aml'),
  };
}

/** Changes whenever the image would come out differently: every file of the builder counts, and node itself. */
async function imageKey(suite: Suite): Promise<string> {
  const builder = path.join(import.meta.dirname, 'build');
  const hash = createHash('sha256').update(`${suite} ${process.version}`);
  for (const name of (await readdir(builder)).sort()) {
    hash.update(`\0${name}\0`).update(await readFile(path.join(builder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(suite: Suite, folder: string, say: Say): Promise<void> {
  const begin = performance.now();
  const unfinished = path.join(cache, `unfinished-${suite}`);
  // Nobody else is in there: whoever left it was interrupted, and the lock is ours.
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  say(`${suite}: building the image`);
  await buildImage(suite, unfinished, say);
  await primeImage(suite, imageIn(unfinished), say);
  await rename(unfinished, folder);
  say(`${suite}: image ready after ${((performance.now() - begin) / 1000).toFixed(1)} s (${folder})`);
}

async function removeOld(suite: Suite): Promise<void> {
  const images: { folder: string; used: number }[] = [];
  for (const name of await readdir(cache)) {
    if (!name.startsWith(`${suite}-`)) continue;
    const folder = path.join(cache, name);
    images.push({ folder, used: (await stat(folder)).mtimeMs });
  }
  images.sort((a, b) => b.used - a.used);
  for (const { folder } of images.slice(kept)) await rm(folder, { recursive: true, force: true });
}
