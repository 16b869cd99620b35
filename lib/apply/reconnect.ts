import type { Host } from '../host/host.ts';
import { kindOf } from '../steps/registry.ts';
import { heldSteps, liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';
import type { Report } from './report.ts';

/**
 * What the libvirt daemon's coming back means for a guest that kept running: nothing changes hands. What others have changed
 * of the guest's steps since is told in the log, and so is a guest whose release is due.
 */
export function tellDifferences(host: Host, journal: Journal, all: readonly Journal[], report: Report): void {
  const { guest } = journal.header;
  const others = heldSteps(all.filter((other) => other !== journal));
  const context = { host, guest, others, note: report.note };
  const live = liveEntries(journal);
  let differences = 0;
  for (const { step, was, got } of live) {
    const drift = kindOf(step).drift?.(step, was, got, context) ?? null;
    if (drift === null) continue;
    differences++;
    report.note(`Changed by others since the start: ${drift}`);
  }
  if (!journal.ready)
    report.note('Its prepare was never completed, and yet it runs: release gives back what it holds');
  if (journal.pending !== null) report.note(`Its release is due: ${journal.pending}`);
  if (differences === 0) report.note(`All ${live.length} steps are as they were made`);
}
