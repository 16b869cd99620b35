import { dirname } from 'node:path';
import type { SourceFiles } from './source-files.ts';

/** Folders that belong to every machine; what lies in any other is somebody's own. */
const EVERYBODYS = new Set([
  '/',
  '/home',
  '/root',
  '/tmp',
  '/var/tmp',
  '/opt',
  '/srv',
  '/mnt',
  '/media',
  '/usr/src',
]);

/** Files with more lines than they may have. */
export function findLongFiles(files: SourceFiles, most: (path: string) => number): string[] {
  return [...files].flatMap(([path, text]) => {
    const lines = text.split('\n').length - 1;
    return lines > most(path) ? [`${path} has ${lines} lines, at most ${most(path)} are allowed`] : [];
  });
}

/** Lines that name this checkout's place on this machine, or what lies beside it. */
export function findPrivatePaths(files: SourceFiles, checkout: string): string[] {
  const above = dirname(checkout);
  const folders = EVERYBODYS.has(above) ? [checkout] : [checkout, `${above}/`];
  return findLines(files, (line) => folders.some((one) => line.includes(one)));
}

/** Lines that put something off. */
export function findPutOff(files: SourceFiles): string[] {
  return findLines(files, (line) => /\b(TODO|FIXME|XXX|HACK)\b/.test(line));
}

/** Packages in a lock file that come from elsewhere than the public registry. */
export function findForeignPackages(lockText: string): string[] {
  const { packages } = JSON.parse(lockText) as { packages: Record<string, { resolved?: string }> };
  return Object.values(packages).flatMap(({ resolved }) =>
    resolved === undefined || resolved.startsWith('https://registry.npmjs.org/') ? [] : [resolved],
  );
}

function findLines(files: SourceFiles, isBad: (line: string) => boolean): string[] {
  return [...files].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => (isBad(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}
