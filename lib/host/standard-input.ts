import { readFileSync, readSync, statSync } from 'node:fs';
import { HostError } from '../words/errors.ts';

/** Reads standard input to its end, at most `limit` bytes (one more is an error: a cut text must not pass for a whole one). */
export function readStandardInput(limit: number): string {
  const parts: Buffer[] = [];
  let size = 0;
  const part = Buffer.alloc(65_536);
  for (;;) {
    let count: number;
    try {
      count = readSync(0, part, 0, part.length, null);
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? null;
      // Windows of a pipe that somebody set non-blocking, and a terminal that was closed
      if (code === 'EAGAIN') continue;
      if (code === 'EOF') break;
      throw new HostError(`Cannot read standard input: ${code}`, { code, cause });
    }
    if (count === 0) break;
    size += count;
    if (size > limit)
      throw new HostError(`Cannot read standard input: it is larger than ${limit} bytes`, { code: 'EFBIG' });
    parts.push(Buffer.from(part.subarray(0, count)));
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Reads a file that the caller named, as the caller sees it (never below a recorded machine's root); null where it cannot be read. */
export function readOwnFile(path: string, limit: number): string | null {
  try {
    if (statSync(path).size > limit)
      throw new HostError(`Cannot read ${path}: it is larger than ${limit} bytes`, { path });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof HostError) throw error;
    return null;
  }
}
