import { spawn } from 'node:child_process';
import { lchownSync } from 'node:fs';
import { HostError } from '../words/errors.ts';
import type { Host, ProcessIdentity, RunOptions, RunResult, Saying } from './host.ts';
import { exchange } from './real-exchange.ts';
import { attempt, RealFiles } from './real-files.ts';
import { FileLock } from './real-lock.ts';
import { SlowWriter } from './slow-writer.ts';
import { parseStartTicks } from './start-ticks.ts';
import { SYSTEM_PATH } from './system-path.ts';

/** Where log lines go: `launchers` and the hook choose. */
export type LogSink = (priority: Parameters<Host['log']>[0], line: string) => void;

/** The real machine, or a recorded one below `root`. */
export class RealHost extends RealFiles implements Host {
  readonly #log: LogSink;
  readonly #writer = new SlowWriter();
  readonly #lock = new FileLock(this.#writer);

  constructor(root: string, log: LogSink, ours: readonly string[] = []) {
    super(root, ours);
    this.#log = log;
  }

  writeSlowly(path: string, text: string, deadlineMs: number): Promise<void> {
    return this.#writer.write(this.real(path), text, deadlineMs);
  }

  startWriter(): ProcessIdentity {
    return this.#identity(this.#writer.start());
  }

  changeOwner(path: string, uid: number, gid: number): void {
    attempt('change the owner of', path, () => lchownSync(this.real(path), uid, gid));
  }

  now(): number {
    return Date.now();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  later(ms: number, act: () => void): () => void {
    const timer = setTimeout(act, ms).unref();
    return () => clearTimeout(timer);
  }

  self(): ProcessIdentity {
    return this.#identity(process.pid);
  }

  run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    const [program = '', ...rest] = argv;
    return new Promise((resolve, reject) => {
      const env = { PATH: SYSTEM_PATH, LC_ALL: 'C', HOME: '/root', ...options.env };
      // Its own process group, so that a time limit ends what it started as well
      const child = spawn(program, rest, { env, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', detached: true });
      let timedOut = false;
      let killer: NodeJS.Timeout | null = null;
      const end = (signal: NodeJS.Signals) => {
        try {
          process.kill(-child.pid!, signal);
        } catch {
          // gone already
        }
      };
      const timer = setTimeout(() => {
        timedOut = true;
        end('SIGTERM');
        killer = setTimeout(() => end('SIGKILL'), 2000);
      }, options.timeoutMs);
      const text = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (part: string) => {
          if (text[name].length < 1 << 20) text[name] += part;
        });
      }
      const finish = (status: number | null) => {
        clearTimeout(timer);
        if (killer !== null) clearTimeout(killer);
        // A grandchild may keep the pipes open: what counts is that the program has ended
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ status, ...text, timedOut });
      };
      child.on('error', (cause: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(
          new HostError(`Cannot run ${program}: ${cause.code}`, {
            code: cause.code ?? null,
            path: program,
            cause,
          }),
        );
      });
      child.on('exit', (status) => {
        child.once('close', () => finish(status));
        setTimeout(() => finish(status), 100).unref();
      });
      child.stdin.on('error', () => {});
      child.stdin.end(options.input ?? '');
    });
  }

  exchange(path: string, sayings: readonly Saying[], timeoutMs: number): Promise<Buffer> {
    return exchange(this.real(path), sayings, timeoutMs);
  }

  spawnDetached(argv: readonly string[], env: Readonly<Record<string, string>> = {}): number {
    const [program = '', ...rest] = argv;
    const child = spawn(program, rest, {
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C', ...env },
      stdio: 'ignore',
      cwd: '/',
      detached: true,
    });
    child.on('error', () => {});
    child.unref();
    if (child.pid === undefined) {
      throw new HostError(`Cannot run ${program}: it cannot be started`, { code: 'ENOENT', path: program });
    }
    return child.pid;
  }

  signal(target: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
    if (this.#startTicks(target.pid) !== target.startTicks) return false;
    try {
      process.kill(target.pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  lock(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void> {
    return this.#lock.take(this.real(path), note, waitMs, onWait);
  }

  unlock(): void {
    this.#writer.dismiss();
    this.#lock.release();
  }

  log(priority: Parameters<Host['log']>[0], line: string): void {
    this.#log(priority, line);
  }

  #identity(pid: number): ProcessIdentity {
    return { pid, startTicks: this.#startTicks(pid) ?? 0 };
  }

  #startTicks(pid: number): number | null {
    return parseStartTicks(this.readOptional(`/proc/${pid}/stat`));
  }
}
