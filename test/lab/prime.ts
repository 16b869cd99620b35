import path from 'node:path';
import type { Image } from './image.ts';
import { parseOptions } from './options.ts';
import { runMachine } from './run.ts';
import { LabError, type Say, type Suite } from './words.ts';

/**
 * Boots the image once with a writable disk and lets libvirt ask QEMU for its capabilities, which takes twenty seconds
 * under emulation. libvirt keeps the answer on the disk.
 */
export async function primeImage(suite: Suite, image: Image, say: Say): Promise<void> {
  const begin = performance.now();
  const script = path.join(import.meta.dirname, 'build', 'prime.sh');
  const options = parseOptions(['--suite', suite, '--quiet', '--timeout', '180', script]);
  if (options === null) return;
  const lines: string[] = [];
  const status = await runMachine(options, image, {
    keepDisk: true,
    output: (bytes) => lines.push(String(bytes)),
    say,
  });
  if (status !== 0)
    throw new LabError(`the first boot of the ${suite} image failed (${status}):\n${lines.join('')}`);
  say(`${suite}: first boot ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}
