import { HostError } from '../lib/words/errors.ts';

/** What helps an ordinary user to whom the host has refused something; null where that was not it. `uid` is null where the platform has none. */
export function rootHint(error: unknown, uid: number | null): string | null {
  const isRefused = error instanceof HostError && (error.code === 'EACCES' || error.code === 'EPERM');
  return isRefused && uid !== null && uid !== 0 ? 'Run it as root (sudo), if it is to change the host' : null;
}
