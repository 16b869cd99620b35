import type { Host } from '../host/host.ts';
import { kindOf } from '../steps/registry.ts';
import { liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';

/**
 * Starts the timer of a guest's hand-over anew, where it has one. It goes off once: when it found a guest whose QEMU was still to come,
 * or the guest was prepared long before its start, nobody would look again.
 */
export async function watchAgain(host: Host, journal: Journal, note: (line: string) => void): Promise<void> {
  const context = { host, guest: journal.header.guest, others: [], note };
  for (const { step } of liveEntries(journal))
    if (step.kind === 'watchdog') await kindOf(step).apply(step, null, context);
}
