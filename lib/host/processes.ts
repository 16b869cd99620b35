import type { ProcessIdentity } from './host.ts';

/** A stream to another process, text both ways. Nothing is lost before the first listener is there. */
export interface Connection {
  /** Sends text; after the end it is dropped. */
  send(text: string): void;
  /** Gets what comes, in parts as they come, and once, when it is over, why ("the other side has closed it"). */
  listen(onText: (text: string) => void, onEnd: (why: string) => void): void;
  close(): void;
}

/** How a program ended: one of both is set. */
export interface ProcessEnd {
  readonly status: number | null;
  readonly signal: string | null;
}

/** How to start a program that runs as long as we do, or longer. */
export interface StartOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Whether it gets a socket to us, as descriptor 3. */
  readonly socket: boolean;
  /** Whether it has our standard input and output (a guest's console in our terminal); else it has no input, and we get its output. */
  readonly terminal?: boolean;
  /** Files that it gets open, under exactly these numbers (from 4 on). */
  readonly files?: readonly PassedFile[];
}

/** A file that a program gets open instead of its path: it need not be allowed to open it. */
export interface PassedFile {
  readonly fd: number;
  readonly path: string;
  readonly access: 'read' | 'read-write';
}

/** A program that we have started and that outlives us if it must. */
export interface StartedProcess {
  readonly identity: ProcessIdentity;
  /** Our end of its socket; null without one. */
  readonly socket: Connection | null;
  /** What it says on standard output and error. */
  onOutput(listener: (text: string) => void): void;
  /** Ends with how it ended, after its last words. */
  readonly ended: Promise<ProcessEnd>;
}

/**
 * What only `run` and its companions need of the machine, apart from Host so that libvirt's hook does not load it: programs
 * that stay, and sockets to them.
 */
export interface Processes {
  /** Starts a program by argv in a session of its own, so that Ctrl-C reaches us alone; throws a HostError where it cannot be. */
  start(argv: readonly string[], options: StartOptions): Promise<StartedProcess>;
  /** Connects to a socket in the file system; a HostError with the errno where nobody answers in time. */
  connect(path: string, timeoutMs: number): Promise<Connection>;
}
