import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { HostError } from '../words/errors.ts';
import type { Connection, ProcessEnd, Processes, StartedProcess, StartOptions } from './processes.ts';
import { parseStartTicks } from './start-ticks.ts';

/** How long after a program's end we wait for its last words: a grandchild may keep the pipe open. */
const LAST_WORDS_MS = 200;

type Stdio = 'ignore' | 'pipe' | 'inherit' | number;

/** Programs that stay, and sockets to them, on the real machine. */
export class RealProcesses implements Processes {
  start(
    argv: readonly string[],
    { env, socket, terminal = false, files = [] }: StartOptions,
  ): Promise<StartedProcess> {
    const [program = '', ...rest] = argv;
    const [input, output] = terminal ? (['inherit', 'inherit'] as const) : (['ignore', 'pipe'] as const);
    const stdio: Stdio[] = [input, output, 'pipe', socket ? 'pipe' : 'ignore'];
    const opened: number[] = [];
    try {
      for (const { fd, path, access } of files) {
        while (stdio.length < fd) stdio.push('ignore');
        opened.push(openFile(path, access));
        stdio[fd] = opened.at(-1)!;
      }
      return this.#spawn(program, rest, env, stdio, socket);
    } finally {
      for (const file of opened) fs.closeSync(file);
    }
  }

  #spawn(
    program: string,
    rest: readonly string[],
    env: Readonly<Record<string, string>>,
    stdio: Stdio[],
    socket: boolean,
  ): Promise<StartedProcess> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, rest, { env, cwd: '/', detached: true, stdio });
      const ended = new Promise<ProcessEnd>((end) => {
        child.on('exit', (status, signal) => {
          const finish = () => end({ status, signal });
          child.once('close', finish);
          setTimeout(finish, LAST_WORDS_MS);
        });
      });
      child.on('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new HostError(`Cannot run ${program}: ${cause.code}`, {
            code: cause.code ?? null,
            path: program,
            cause,
          }),
        ),
      );
      child.on('spawn', () => {
        const pid = child.pid!;
        resolve({
          identity: { pid, startTicks: readStartTicks(pid) },
          // Node makes each "pipe" a pair of sockets (socketpair(2)), which is what QEMU's fd= needs
          socket: socket ? new SocketConnection(child.stdio[3] as net.Socket) : null,
          ended,
          onOutput(listener) {
            for (const stream of [child.stdout, child.stderr])
              (stream as net.Socket | null)?.setEncoding('utf8').on('data', listener);
          },
        });
      });
    });
  }

  connect(path: string, timeoutMs: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ path });
      const fail = (code: string) => {
        socket.destroy();
        reject(new HostError(`Cannot connect to ${path}: ${code}`, { code, path }));
      };
      const timer = setTimeout(() => fail('ETIMEDOUT'), timeoutMs);
      socket.once('error', (cause: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(cause.code ?? 'EIO');
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new SocketConnection(socket));
      });
    });
  }
}

class SocketConnection implements Connection {
  readonly #socket: net.Socket;
  #why: string | null = null;
  #onEnd: ((why: string) => void) | null = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    // Paused until somebody listens
    socket.pause();
    socket.on('error', (cause: NodeJS.ErrnoException) => this.#end(cause.code ?? cause.message));
    socket.on('end', () => this.#end('the other side has closed it'));
    socket.on('close', () => this.#end('it is closed'));
  }

  send(text: string): void {
    if (this.#why === null && this.#socket.writable) this.#socket.write(text);
  }

  listen(onText: (text: string) => void, onEnd: (why: string) => void): void {
    this.#onEnd = onEnd;
    this.#socket.on('data', onText);
    if (this.#why !== null) onEnd(this.#why);
    else this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(why: string): void {
    if (this.#why !== null) return;
    this.#why = why;
    this.#onEnd?.(why);
  }
}

function openFile(path: string, access: 'read' | 'read-write'): number {
  const { O_RDONLY, O_RDWR, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(path, (access === 'read' ? O_RDONLY : O_RDWR) | O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? null;
    throw new HostError(`Cannot open ${path} for QEMU: ${code}`, { code, path, cause });
  }
}

function readStartTicks(pid: number): number {
  try {
    return parseStartTicks(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? 0;
  } catch {
    return 0;
  }
}
