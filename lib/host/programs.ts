import type { Host } from './host.ts';

/** What is wrong with a program that we are to run, in words ("it is not there"), or null. */
export type ProgramFault = string | null;

/**
 * Looks whether a program can be run, and whether nobody but root and ourselves could have put something else in its
 * place: the file and every folder above it, links followed. A sticky folder (/tmp) keeps others off what is not theirs.
 */
export function readProgramFault(host: Host, path: string): ProgramFault {
  if (!path.startsWith('/')) return 'it is no absolute path';
  const real = host.realPath(path);
  const file = real === null ? null : host.stat(real);
  if (real === null || file === null) return 'it is not there';
  if (file.kind !== 'file') return 'it is no file';
  if ((file.mode & 0o111) === 0) return 'it is not executable';
  const us = host.stat(`/proc/${host.self().pid}`)?.uid ?? 0;
  if (file.uid !== 0 && file.uid !== us) return `it belongs to user ${file.uid}, who could change it`;
  if ((file.mode & 0o002) !== 0 || ((file.mode & 0o020) !== 0 && file.gid !== 0))
    return 'others than its owner may write it';
  for (let end = real.lastIndexOf('/'); end >= 0; end = real.lastIndexOf('/', end - 1)) {
    const path = real.slice(0, end) || '/';
    const folder = host.stat(path);
    if (folder === null) return `its folder ${path} cannot be looked at`;
    if (folder.uid !== 0 && folder.uid !== us)
      return `its folder ${path} belongs to user ${folder.uid}, who could replace it`;
    if ((folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0)
      return `anybody may write its folder ${path}`;
    if (end === 0) break;
  }
  return null;
}
