import type { QmpClient } from './qmp-client.ts';
import { asObject } from './qmp-text.ts';

/** Our own word for a guest whose QEMU hangs, or talks to somebody else. */
export const NO_ANSWER = 'no-answer';

/** How a guest is, by QEMU's own word for it (query-status; RunState of qapi/run-state.json): "running", "suspended" … */
export async function readGuestState(qmp: QmpClient): Promise<string> {
  const state = asObject(await qmp.execute('query-status'))?.status;
  return typeof state === 'string' && /^[a-z-]{1,40}$/.test(state) ? state : 'unknown';
}

/** What a person should know of a guest that does not just run, and what can be done; null of one that does. */
export function describeGuestState(state: string, guest: string): string | null {
  const goOn = `passqemu monitor ${guest} cont lets it go on`;
  const reset = `passqemu monitor ${guest} system_reset begins anew`;
  const known = new Map<string, string | null>([
    ['running', null],
    ['suspended', `it sleeps (S3): passqemu monitor ${guest} system_wakeup wakes it`],
    ['paused', `it is paused: ${goOn}`],
    ['watchdog', `its watchdog has paused it: ${goOn}`],
    ['io-error', `it is paused, because a disk has failed: once that is mended, ${goOn}`],
    ['guest-panicked', `it has crashed (it says so itself): ${reset}`],
    ['internal-error', `KVM cannot go on with it: ${reset}`],
    ['shutdown', `it has powered off, and its QEMU stays: passqemu stop ${guest} --force ends it`],
    [NO_ANSWER, 'its QEMU does not answer'],
  ]);
  const words = known.get(state);
  return words === undefined ? `QEMU calls it ${state}` : words;
}
