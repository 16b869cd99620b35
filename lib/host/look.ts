import { HostError } from '../words/errors.ts';
import { isUnseen, type Seen } from '../words/seen.ts';
import type { Host } from './host.ts';

/** A file's text; null where there is no such file, which is not the same as one that will not be read. */
export function lookAt(host: Host, path: string): Seen<string | null> {
  try {
    return { value: host.read(path) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return { value: null };
    return { unseen: `${path} cannot be read (${error.code ?? 'no reason given'})` };
  }
}

/** The text of a file that every kernel has: where it is missing nothing follows from that. */
export function lookFor(host: Host, path: string): Seen<string> {
  const text = lookAt(host, path);
  if (isUnseen(text)) return text;
  return text.value === null ? { unseen: `${path} is not there` } : { value: text.value };
}

/** Names in a folder that every kernel has. */
export function lookThrough(host: Host, path: string): Seen<readonly string[]> {
  return host.exists(path) ? { value: host.list(path) } : { unseen: `${path} is not there` };
}
