import { spawn } from 'node:child_process';
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { HostError } from '../words/errors.ts';
import { SYSTEM_PATH } from './system-path.ts';

/**
 * The lock that serialises all changes. flock(1) locks our open file description, which we keep: the lock lives
 * exactly as long as this process, whatever kills it, and children do not inherit it (Node opens with O_CLOEXEC).
 * Nobody but root can open the file, so nobody else can hold it.
 */
export class FileLock {
  #file: number | null = null;

  async take(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void> {
    if (this.#file !== null) return;
    const file = openLock(path);
    try {
      if (!(await flock(file, ['--nonblock']))) {
        onWait(holderOf(file));
        if (!(await flock(file, ['--wait', String(waitMs / 1000)]))) {
          throw new HostError(
            `Cannot take the lock ${path}: ${holderOf(file)} has held it for ${waitMs / 1000} s`,
            {
              code: 'ETIMEDOUT',
              path,
            },
          );
        }
      }
      ftruncateSync(file);
      writeSync(file, note, 0);
    } catch (cause) {
      closeSync(file);
      throw cause;
    }
    this.#file = file;
  }

  release(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

function openLock(path: string): number {
  try {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    return openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? null;
    throw new HostError(`Cannot open the lock ${path}: ${code}`, { code, path, cause });
  }
}

/** What the holder wrote about itself. */
function holderOf(file: number): string {
  const text = Buffer.alloc(512);
  const size = readSync(file, text, 0, text.length, 0);
  return text.subarray(0, size).toString().trim() || 'another passqemu';
}

function flock(file: number, options: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', [...options, '3'], {
      stdio: ['ignore', 'ignore', 'ignore', file],
      env: { PATH: SYSTEM_PATH },
    });
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new HostError(`Cannot run flock: ${cause.code}`, {
          code: cause.code ?? null,
          hint: 'Install util-linux',
          cause,
        }),
      ),
    );
    child.on('exit', (status, signal) => {
      if (status === 0 || status === 1) resolve(status === 0);
      else reject(new HostError(`Cannot lock: flock ended with ${status ?? signal}`));
    });
  });
}
