import { ensureStateFolder, takeLock } from '../lib/apply/state-folder.ts';
import type { Host } from '../lib/host/host.ts';
import type { HookCall } from '../lib/inputs/hook-call.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import { LOCK_WAIT_MS } from './hook-folders.ts';

/**
 * The lock is taken by other processes, which takes them as long as it takes us to load the rest. Whoever needs it asks again, and hears
 * then of what went wrong here.
 */
export function beginToLock(
  host: Host,
  { kind, guest, operation }: HookCall,
  stateDir: string,
  note: (line: string) => void,
): void {
  // Of an unknown call the guest may be no name, and nothing is looked for by it
  if (kind === 'unknown') return;
  const isMeant =
    operation === 'release' ? host.exists(`${stateDir}/${guest}.jsonl`) : operation === 'prepare';
  if (!isMeant) return;
  try {
    ensureStateFolder(host, stateDir);
    takeLock(host, stateDir, `${operation} of ${guest}`, LOCK_WAIT_MS, note).catch(() => {});
  } catch (error) {
    if (!(error instanceof PassqemuError)) throw error;
  }
}
