import { ProfileError } from '../words/errors.ts';
import type { Host } from './host.ts';

/**
 * Reads a file that decides what root does: it and its folder must belong to root or to whoever runs us, and nobody else may
 * write them. Null where there is none.
 */
export function readConfigFile(host: Host, path: string, ownUid: number): string | null {
  const facts = host.stat(path, 'follow');
  if (facts === null) return null;
  if (facts.kind !== 'file')
    throw new ProfileError(`Cannot read ${path}: it is a ${facts.kind}, it must be a file`);
  const real = host.realPath(path) ?? path;
  const folders = [...new Set([path, real].map((one) => one.slice(0, one.lastIndexOf('/')) || '/'))];
  for (const one of [path, ...folders]) {
    const is = host.stat(one, 'follow');
    if (is === null) continue;
    const mode = is.mode.toString(8).padStart(4, '0');
    if (is.uid !== 0 && is.uid !== ownUid) {
      throw new ProfileError(
        `Cannot trust ${one}: it belongs to user ${is.uid}, it must belong to root`,
        `chown root ${one}`,
      );
    }
    // A sticky folder (/tmp) lets others add files, but not replace this one
    const others = one === path ? 0o022 : (is.mode & 0o1000) === 0 ? 0o022 : 0;
    if ((is.mode & others) !== 0) {
      throw new ProfileError(
        `Cannot trust ${one}: others than its owner may write it (mode ${mode})`,
        `chmod go-w ${one}`,
      );
    }
  }
  return host.read(path);
}
