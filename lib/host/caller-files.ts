import fs from 'node:fs';
import { HostError } from '../words/errors.ts';

/** Reads a file that the caller named, as the caller sees it (never below a recorded machine's root). A larger one than `limit` bytes is an error. */
export function readCallerFile(path: string, limit: number): Buffer {
  return attempt('read', path, () => {
    const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      const facts = fs.fstatSync(file);
      if (!facts.isFile()) throw new HostError(`Cannot read ${path}: it is no file`, { path });
      if (facts.size > limit)
        throw new HostError(`Cannot read ${path}: it has ${facts.size} bytes, at most ${limit} are read`, {
          code: 'EFBIG',
          path,
        });
      return fs.readFileSync(file);
    } finally {
      fs.closeSync(file);
    }
  });
}

/** Makes a file for the caller; one that is there already stays as it is (EEXIST) unless `replace`. A file that could not be written whole is not left behind. */
export function writeCallerFile(path: string, bytes: Buffer, replace: boolean): void {
  attempt('write', path, () => {
    const file = fs.openSync(path, replace ? 'w' : 'wx', 0o644);
    try {
      fs.writeFileSync(file, bytes);
      fs.fsyncSync(file);
    } catch (cause) {
      fs.rmSync(path, { force: true });
      throw cause;
    } finally {
      fs.closeSync(file);
    }
  });
}

function attempt<T>(act: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? null;
    const hint = HINTS[`${act} ${code}`];
    throw new HostError(`Cannot ${act} ${path}: ${code}`, { code, path, cause, ...(hint && { hint }) });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  'read ENOENT': 'There is no such file',
  'write ENOENT': 'The folder that it is to be written to must be there',
  'write EEXIST': 'The file is there already; --force writes over it',
};
