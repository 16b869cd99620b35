import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Say } from './words.ts';

/**
 * Does the work while no other process holds the lock on `file`. The lock belongs to a child that lives as long as its
 * standard input is open, so it is free again however this process ends.
 */
export async function withLock<T>(file: string, say: Say, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = setTimeout(() => say(`waiting for another process that builds (${file})`), 1000);
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => Promise.reject(new Error(`flock ${file} failed`))),
    ]);
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
  }
}
