import type { Host } from '../host/host.ts';

/**
 * Why a program must not be run by root, in words, or null: it, what it links to, and every folder above must belong to root and be
 * writable by nobody else. A node in a user's home would be root for that user.
 */
export function whyUntrusted(host: Host, path: string): string | null {
  const real = host.realPath(path);
  if (real === null) return `${path} does not exist`;
  for (let at = real; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const facts = host.stat(at, 'follow');
    if (facts === null) return `${at} cannot be looked at`;
    if (facts.uid !== 0) return `${at} belongs to user ${facts.uid}, not to root`;
    const sticky = facts.kind === 'folder' && (facts.mode & 0o1000) !== 0;
    if ((facts.mode & 0o022) !== 0 && !sticky) return `${at} can be written by others than root`;
  }
  return null;
}
