import type { Host } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';

/**
 * Functions with a write that the kernel has still not answered. It holds their lock (device_lock) meanwhile, and whoever
 * reads an attribute that is shown under the lock waits too: for ever, and no signal ends it.
 */
export function wedgedFunctions(host: Host, journals: readonly Journal[]): ReadonlySet<PciAddress> {
  const wedged = new Set<PciAddress>();
  for (const entry of journals.flatMap(liveEntries)) {
    const { step } = entry;
    if (step.kind === 'driver' && entry.wedged !== undefined && isRunning(host, entry.wedged.writer))
      wedged.add(step.address);
  }
  return wedged;
}
