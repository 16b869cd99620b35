import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { HostError } from '../words/errors.ts';
import { SYSTEM_PATH } from './system-path.ts';

/** What flock may take beyond the time that it waits for the lock. */
const FLOCK_MS = 10_000;

/**
 * What the writer runs: it reads a path and a value, a line each, from descriptor 3, writes the one to the other, and
 * answers on descriptor 4 with "ok" or the shell's complaint. Constant text; nothing of ours is ever part of it.
 * `>>` opens without truncating (sysfs does not care) and `[ -e` stands in for "open without create".
 * "lock" for a path locks the file that is descriptor 5; the lock is the open file's (flock(2)), so ours too, and stays when
 * the writer closes its own descriptor.
 */
const SCRIPT = `exec 2>&4
while IFS= read -r path <&3 && IFS= read -r value <&3; do
  if [ "$path" = lock ]; then
    flock --timeout "$value" 5
    case $? in
    0) exec 5>&- && echo ok >&4 ;;
    1) echo locked >&4; echo failed >&4 ;;
    *) echo "flock ended with $?" >&4; echo failed >&4 ;;
    esac
  elif [ -e "$path" ]; then printf '%s\\n' "$value" >>"$path" && echo ok >&4 || echo failed >&4
  else echo 'No such file or directory' >&4; echo failed >&4; fi
done`;

const CODES: readonly [string, string][] = [
  ['No such device', 'ENODEV'],
  ['No such file', 'ENOENT'],
  ['nonexistent', 'ENOENT'],
  ['resource busy', 'EBUSY'],
  ['Invalid argument', 'EINVAL'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  // dash has words of its own for this one
  ['I/O error', 'EIO'],
  ['Input/output error', 'EIO'],
  ['File exists', 'EEXIST'],
  ['Cannot allocate', 'ENOMEM'],
  ['No space', 'ENOSPC'],
  ['Read-only', 'EROFS'],
];

/**
 * A small process of its own that carries out writes which can block in the kernel for ever (an unbind waits for the
 * driver's users). It has its own session and /dev/null for standard streams, so that whoever waits for ours is not
 * held up by it. It ends by itself when the pipe to us closes: at once, or when the kernel lets the last write go.
 */
export class SlowWriter {
  #child: ChildProcess | null = null;
  #answer = '';
  #wake: (() => void) | null = null;
  #ended = false;

  /** Starts it if it is not there, with a file to lock if there is one; gives its process number. */
  start(lockFile: number | 'ignore' = 'ignore'): number {
    if (this.#child?.pid !== undefined && !this.#ended) return this.#child.pid;
    const child = spawn('/bin/sh', ['-c', SCRIPT], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', lockFile],
      env: { LC_ALL: 'C', PATH: SYSTEM_PATH },
      cwd: '/',
      detached: true,
    });
    child.on('error', () => this.#end(child));
    child.on('exit', () => this.#end(child));
    const answers = child.stdio[4] as Readable;
    answers.setEncoding('utf8').on('data', (part: string) => {
      if (this.#child !== child) return;
      this.#answer += part;
      this.#wake?.();
    });
    const orders = child.stdio[3] as Writable;
    orders.on('error', () => this.#end(child));
    // Neither the writer nor its pipes keep our process alive
    child.unref();
    for (const stream of [answers, orders]) (stream as unknown as { unref(): void }).unref();
    if (child.pid === undefined)
      throw new HostError('Cannot start /bin/sh: it cannot be run', { path: '/bin/sh' });
    this.#child = child;
    this.#ended = false;
    this.#answer = '';
    return child.pid;
  }

  /** Writes one line to one file; a HostError with code ETIMEDOUT where the kernel has not answered in time. */
  async write(path: string, text: string, deadlineMs: number): Promise<void> {
    const value = text.replace(/\n$/, '');
    if (/[\n\0]/.test(path) || /[\n\0]/.test(value))
      throw new HostError(`Cannot write ${path}: a line break in it`);
    this.start();
    const answer = await this.#order(path, value, deadlineMs);
    if (answer === 'ok') return;
    if (answer === null) {
      // The stuck one is left to itself; the next write gets a new one
      const pid = this.#child?.pid;
      this.#child = null;
      throw new HostError(
        `Cannot write ${path}: the kernel has not answered for ${deadlineMs / 1000} s, writer process ${pid} still waits`,
        { code: 'ETIMEDOUT', path },
      );
    }
    const code = CODES.find(([words]) => answer.includes(words))?.[1] ?? null;
    throw new HostError(`Cannot write ${path}: ${code ?? answer.replace(/\s*failed\s*$/, '').trim()}`, {
      code,
      path,
    });
  }

  /**
   * Locks the file it was started with, by flock(1): a shell forks in a fraction of the time that Node takes. False where somebody
   * else has it locked for longer than we wait.
   */
  async lock(waitMs: number): Promise<boolean> {
    const answer = await this.#order('lock', String(waitMs / 1000), waitMs + FLOCK_MS);
    if (answer === 'ok') return true;
    if (answer === 'locked\nfailed\n') return false;
    const isMissing = answer?.includes('not found') === true;
    throw new HostError(
      `Cannot lock: ${isMissing ? 'flock is not installed' : (answer ?? 'flock has not answered').trim().split('\n')[0]}`,
      isMissing ? { hint: 'Install util-linux' } : {},
    );
  }

  /** Lets one that has nothing to do end: whoever has the lock next waits for every writer that the journal names. */
  dismiss(): void {
    (this.#child?.stdio[3] as Writable | undefined)?.end();
    this.#child = null;
  }

  #order(path: string, value: string, deadlineMs: number): Promise<string | null> {
    this.#answer = '';
    (this.#child!.stdio[3] as Writable).write(`${path}\n${value}\n`);
    return this.#wait(deadlineMs);
  }

  /** "ok", what went wrong, or null where the time is over. */
  async #wait(deadlineMs: number): Promise<string | null> {
    const done = () => /(?:^|\n)(?:ok|failed)\n$/.test(this.#answer) || this.#ended;
    // The timer itself says that the time is over: by a clock it may come too early, and nothing else would keep us alive then
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#wake?.();
    }, deadlineMs);
    try {
      while (!done()) {
        if (isOver) return null;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#wake = null;
    }
    if (this.#answer === 'ok\n') return 'ok';
    return this.#ended && this.#answer === '' ? 'the writer process ended' : this.#answer;
  }

  /** The end of one that was left to itself concerns nobody. */
  #end(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#ended = true;
    this.#wake?.();
  }
}
