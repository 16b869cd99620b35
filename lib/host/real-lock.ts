import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { HostError } from '../words/errors.ts';
import type { SlowWriter } from './slow-writer.ts';

/**
 * The lock that serialises all changes. The writer has flock(1) lock our open file description, which we keep: the lock lives exactly as
 * long as this process, whatever kills it; the writer closes its own descriptor, and no other child inherits it (O_CLOEXEC).
 * Nobody but root can open the file, so nobody else can hold it.
 */
export class FileLock {
  readonly #writer: SlowWriter;
  #file: number | null = null;
  #taking: Promise<void> | null = null;

  constructor(writer: SlowWriter) {
    this.#writer = writer;
  }

  /** Who asks while it is being taken waits for the same. */
  take(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void> {
    if (this.#file !== null) return Promise.resolve();
    this.#taking ??= this.#take(path, note, waitMs, onWait).finally(() => {
      this.#taking = null;
    });
    return this.#taking;
  }

  async #take(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void> {
    const file = openLock(path);
    try {
      this.#writer.dismiss();
      this.#writer.start(file);
      if (!(await this.#writer.lock(0))) {
        onWait(holderOf(file));
        if (!(await this.#writer.lock(waitMs))) {
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
      this.#writer.dismiss();
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
