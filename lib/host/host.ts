/** What a path is, as far as our checks need it. `rdev` is major:minor of a device node. */
export interface PathFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'block' | 'character' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly rdev: string | null;
  /** When its content or its facts last changed, in ms (ctime). */
  readonly changedMs: number;
  /** major:minor of the file system it lies on. */
  readonly device: string;
}

/** What a program answered. `status` is null where it was ended by a signal or by its time limit. */
export interface RunResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What is said on a socket, and how to tell from all that has come back so far that it is answered. */
export interface Saying {
  readonly bytes: Uint8Array;
  isAnswered(heard: Buffer): boolean;
}

/** A process that can be told from a later one with the same number: its start time in clock ticks (proc(5), stat field 22). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/**
 * The one door to the machine: every file read or written, every program run and every wait of ours goes through it.
 * Paths are absolute as on the machine itself; `root` is put before them in one place, so the same code reads
 * a recorded machine. Every failure is a HostError that names the path and the errno.
 */
export interface Host {
  /** "/" or the folder of a recorded machine. */
  readonly root: string;

  /** The whole text, trailing white space and NULs removed once, here. */
  read(path: string): string;
  /** The same, or null where the file is absent or will not be read (ENOENT, ENODEV, EIO, EACCES, EINVAL…). */
  readOptional(path: string): string | null;
  /** Raw bytes, at most `limit` of them (default 16 MiB). */
  readBytes(path: string, limit?: number): Buffer;
  /** Names in a folder, sorted; empty where there is none. */
  list(path: string): string[];
  /** The last component of a link's target ("e1000e" for …/driver), or null. */
  linkName(path: string): string | null;
  /** Where the path really is, all links followed, without `root`; null where it is nowhere. */
  realPath(path: string): string | null;
  exists(path: string): boolean;
  /** Facts of the path itself (links are not followed unless `follow`), or null. */
  stat(path: string, follow?: 'follow'): PathFacts | null;
  /** Whether the kernel lets a block device be claimed (O_EXCL): "busy" means mounted, swapped to, or a member of something. */
  claimable(path: string): 'free' | 'busy' | 'unknown';

  /** Writes to a file that must exist (opened without create: a misspelt attribute fails here as on the kernel). */
  write(path: string, text: string): void;
  /**
   * The same for writes that can block in the kernel (unbind, bind, drivers_probe, remove): done by the writer
   * process, at most `deadlineMs` waited for. Past it, a HostError with code ETIMEDOUT; the write goes on.
   */
  writeSlowly(path: string, text: string, deadlineMs: number): Promise<void>;
  /** Starts the writer process if it is not there yet and says which it is, so that the journal can name it. */
  startWriter(): ProcessIdentity;

  /** Our own files: makes the folder (and what is above it) with the mode. */
  makeFolder(path: string, mode: number): void;
  /** Replaces a file of ours as a whole: temporary name, sync, rename. */
  replaceFile(path: string, text: string, mode: number): void;
  /** Makes a new file of ours that must not exist yet, and syncs it. */
  createFile(path: string, text: string, mode: number): void;
  /** Overwrites bytes of a file of ours from `offset` (in bytes) on, and syncs it. */
  overwrite(path: string, offset: number, text: string): void;
  /** Gives a file to a user and a group (chown(2)); links are not followed. */
  changeOwner(path: string, uid: number, gid: number): void;
  /** Removes a file of ours, or an empty folder; absent is fine. */
  remove(path: string): void;

  /** Milliseconds since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls `act` in so many ms, unless what it answers is called before. */
  later(ms: number, act: () => void): () => void;
  /** This process. */
  self(): ProcessIdentity;
  /** Runs a program by argv, never through a shell; a program that cannot be started is a HostError. */
  run(argv: readonly string[], options: RunOptions): Promise<RunResult>;
  /**
   * Talks on a unix socket, on a connection of its own: each saying once the one before it is answered; gives all that was heard.
   * A HostError with the errno where nobody listens or hangs up, EPROTO where `isAnswered` throws, ETIMEDOUT past the limit; then what
   * was said may still count.
   */
  exchange(path: string, sayings: readonly Saying[], timeoutMs: number): Promise<Buffer>;
  /** Starts a program that outlives us: own session, all standard streams on /dev/null. */
  spawnDetached(argv: readonly string[], env?: Readonly<Record<string, string>>): number;
  /** Sends a signal to exactly that process; false where it is gone. */
  signal(process: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean;
  /** Takes the lock, which dies with this process. While another holds it `onWait` is called once with what the holder wrote. */
  lock(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void>;
  /** Gives the lock back, and lets the writer process end. */
  unlock(): void;
  /** One line of the whole story: to the system's journal, or to stderr with -v. */
  log(priority: 'error' | 'warning' | 'notice' | 'info' | 'debug', line: string): void;
}
