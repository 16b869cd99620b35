import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fdatasyncSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { HostError } from '../words/errors.ts';
import type { PathFacts } from './host.ts';
import { followWithin } from './real-within.ts';

const LARGEST_FILE = 16 << 20;

/** The file half of the real host: sysfs, proc and our own files, all below one root. */
export class RealFiles {
  readonly root: string;
  readonly #prefix: string;
  readonly #ours: readonly string[];
  /** Where a recorded machine's folder really is. */
  #top: string | null = null;

  /** `ours` are folders (profiles, state) that were named by the caller and so are not part of a recorded machine. */
  constructor(root: string, ours: readonly string[] = []) {
    this.root = root;
    this.#prefix = root === '/' ? '' : root.replace(/\/+$/, '');
    this.#ours = ours;
  }

  /** The one place where the root is joined to a path. */
  protected real(path: string): string {
    if (this.#prefix === '') return path;
    const isOurs = this.#ours.some((folder) => path === folder || path.startsWith(`${folder}/`));
    return isOurs ? path : this.#prefix + path;
  }

  /** The same for what is followed: in a recorded machine nothing leads out of it. */
  #followed(path: string, want: 'file' | 'any' = 'any'): string {
    const real = this.real(path);
    if (this.#prefix === '' || real === path) return real;
    this.#top ??= realpathSync.native(this.#prefix);
    return followWithin(this.#top, real, want);
  }

  read(path: string): string {
    return attempt('read', path, () => trimEnd(readFileSync(this.#followed(path, 'file'), 'utf8')));
  }

  readOptional(path: string): string | null {
    try {
      return trimEnd(readFileSync(this.#followed(path, 'file'), 'utf8'));
    } catch {
      return null;
    }
  }

  readBytes(path: string, limit = LARGEST_FILE): Buffer {
    return attempt('read', path, () => {
      // Without O_NONBLOCK a pipe nobody writes to, or the end of the kernel's log, would hold us for ever
      const file = openSync(this.#followed(path, 'file'), constants.O_RDONLY | constants.O_NONBLOCK);
      const part = Buffer.allocUnsafe(65_536);
      try {
        const parts: Buffer[] = [];
        for (let left = limit; left > 0; ) {
          const size = readSome(file, part, Math.min(left, part.length));
          if (size === 0) break;
          parts.push(Buffer.from(part.subarray(0, size)));
          left -= size;
        }
        return Buffer.concat(parts);
      } finally {
        closeSync(file);
      }
    });
  }

  list(path: string): string[] {
    try {
      return readdirSync(this.#followed(path)).sort();
    } catch {
      return [];
    }
  }

  linkName(path: string): string | null {
    try {
      const target = readlinkSync(this.real(path));
      return target.slice(target.lastIndexOf('/') + 1);
    } catch {
      return null;
    }
  }

  realPath(path: string): string | null {
    try {
      // The native one is a single call; the other asks for each part of the path
      const real = realpathSync.native(this.real(path));
      if (this.#prefix === '') return real;
      // A link that leaves the recorded machine is no part of it
      const prefix = realpathSync.native(this.#prefix);
      return real.startsWith(`${prefix}/`) ? real.slice(prefix.length) : null;
    } catch {
      return null;
    }
  }

  exists(path: string): boolean {
    try {
      return existsSync(this.#followed(path));
    } catch {
      return false;
    }
  }

  stat(path: string, follow?: 'follow'): PathFacts | null {
    try {
      const facts = follow ? statSync(this.#followed(path)) : lstatSync(this.real(path));
      return {
        kind: kindOf(facts),
        mode: facts.mode & 0o7777,
        uid: facts.uid,
        gid: facts.gid,
        sizeBytes: facts.size,
        changedMs: facts.ctimeMs,
        rdev: facts.isBlockDevice() || facts.isCharacterDevice() ? formatDevice(facts.rdev) : null,
        device: formatDevice(facts.dev),
      };
    } catch {
      return null;
    }
  }

  claimable(path: string): 'free' | 'busy' | 'unknown' {
    if (this.#prefix !== '') return 'unknown';
    try {
      closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK));
      return 'free';
    } catch (cause) {
      return (cause as NodeJS.ErrnoException).code === 'EBUSY' ? 'busy' : 'unknown';
    }
  }

  write(path: string, text: string): void {
    attempt('write', path, () => {
      const file = openSync(this.real(path), constants.O_WRONLY);
      try {
        // One write call: sysfs and procfs take each call as one value
        writeSync(file, text);
      } finally {
        closeSync(file);
      }
    });
  }

  makeFolder(path: string, mode: number): void {
    attempt('make', path, () => {
      if (existsSync(this.real(path))) return;
      mkdirSync(this.real(path), { recursive: true, mode });
      if (!path.startsWith('/sys/')) chmodSync(this.real(path), mode);
    });
  }

  replaceFile(path: string, text: string, mode: number): void {
    attempt('write', path, () => {
      const real = this.real(path);
      const temporary = `${real}.${process.pid}.new`;
      rmSync(temporary, { force: true });
      try {
        writeSynced(temporary, text, mode);
        renameSync(temporary, real);
        syncFolderOf(real);
      } catch (cause) {
        rmSync(temporary, { force: true });
        throw cause;
      }
    });
  }

  createFile(path: string, text: string, mode: number): void {
    attempt('create', path, () => {
      const real = this.real(path);
      try {
        writeSynced(real, text, mode);
        syncFolderOf(real);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(real, { force: true });
        throw cause;
      }
    });
  }

  overwrite(path: string, offset: number, text: string): void {
    attempt('write', path, () => {
      const file = openSync(this.real(path), constants.O_WRONLY | constants.O_NOFOLLOW);
      try {
        const bytes = Buffer.from(text);
        const size = writeSync(file, bytes, 0, bytes.length, offset);
        if (size !== bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
        fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  remove(path: string): void {
    attempt('remove', path, () => {
      const real = this.real(path);
      try {
        if (lstatSync(real).isDirectory()) rmdirSync(real);
        else unlinkSync(real);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      }
    });
  }
}

/** Turns any failure into a HostError with the act, the path and the errno. */
export function attempt<T>(act: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? null;
    throw new HostError(`Cannot ${act} ${path}: ${code ?? String(cause)}`, { code, path, cause });
  }
}

/** One read; 0 at the end, which is EAGAIN where there may be more one day. Records of /dev/kmsg that were overwritten meanwhile are skipped (EPIPE). */
function readSome(file: number, part: Buffer, limit: number): number {
  for (let skipped = 0; ; skipped++) {
    try {
      return readSync(file, part, 0, limit, null);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return 0;
      if (code !== 'EPIPE' || skipped > 1000) throw cause;
    }
  }
}

function writeSynced(real: string, text: string, mode: number): void {
  const file = openSync(real, 'wx', mode);
  try {
    fchmodSync(file, mode);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolderOf(real: string): void {
  const folder = openSync(real.slice(0, real.lastIndexOf('/')) || '/', 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) <= 0x20) end--;
  return end === text.length ? text : text.slice(0, end);
}

function kindOf(facts: Stats): PathFacts['kind'] {
  if (facts.isFile()) return 'file';
  if (facts.isDirectory()) return 'folder';
  if (facts.isSymbolicLink()) return 'link';
  if (facts.isBlockDevice()) return 'block';
  return facts.isCharacterDevice() ? 'character' : 'other';
}

/** Splits a dev_t as glibc does: 12 bits of major, 20 of minor, and their upper parts. */
function formatDevice(device: number): string {
  const whole = BigInt(device);
  const major = ((whole >> 8n) & 0xfffn) | ((whole >> 32n) & ~0xfffn);
  const minor = (whole & 0xffn) | ((whole >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}
