import { realpathSync, statSync } from 'node:fs';

/**
 * Where a path of a recorded machine leads, all links followed. Such a machine may come from anybody: a link that leads out of
 * its folder (EXDEV), or, where a file is wanted, a pipe that would hold us (EINVAL), is an error.
 */
export function followWithin(top: string, path: string, want: 'file' | 'any'): string {
  const at = realpathSync.native(path);
  const isInside = at === top || at.startsWith(`${top}/`);
  if (isInside && (want === 'any' || statSync(at).isFile())) return at;
  throw Object.assign(new Error(path), { code: isInside ? 'EINVAL' : 'EXDEV' });
}
