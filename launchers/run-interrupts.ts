import { findJournal } from '../lib/apply/find-journal.ts';
import type { GuestInputs } from '../lib/apply/guest.ts';
import { liveEntries, readState } from '../lib/apply/journal.ts';
import { interruptWatch } from '../lib/apply/watcher.ts';
import type { Host, ProcessIdentity } from '../lib/host/host.ts';
import { readOnlineCpus } from '../lib/host/online-cpus.ts';
import { guestCpusOf } from '../lib/inputs/guest-cpus.ts';
import { intersectionOf, unionOf } from '../lib/words/cpu-list.ts';
import { PassqemuError } from '../lib/words/errors.ts';

/**
 * Keeps the interrupts of a guest's functions on its vCPUs' CPUs while its QEMU runs, as the watcher does for guests of libvirt; the
 * launcher is there anyway. Keeps nobody from ending, and answers how it is ended. Best effort.
 */
export function keepInterrupts(
  host: Host,
  stateDir: string,
  { guest, profile }: Pick<GuestInputs, 'guest' | 'profile'>,
  qemu: ProcessIdentity,
  pinned: readonly (readonly number[] | null)[],
): () => void {
  const journal = findJournal(readState(host, stateDir).journals, { guest, uuid: null });
  const { cpus } = guestCpusOf(profile.cpu, null, readOnlineCpus(host));
  if (journal === null || !profile.cpu.irqs || cpus.length === 0) return () => {};
  const vcpus = intersectionOf(unionOf(...pinned.map((one) => one ?? [])), cpus);
  const addresses = liveEntries(journal).flatMap(({ step }) =>
    step.kind === 'driver' && step.driver !== null ? [step.address] : [],
  );
  const interruptCpus = vcpus.length > 0 ? vcpus : cpus;
  const look = interruptWatch(host, stateDir, journal, qemu, { guest, interruptCpus, addresses });
  let timer: NodeJS.Timeout | null = null;
  let over = false;
  const lookOn = async () => {
    const ms = await look().catch((error: unknown) => {
      if (!(error instanceof PassqemuError)) throw error;
      host.log('info', `${guest} watch: ${error.message}`);
      return null;
    });
    if (ms !== null && !over) timer = setTimeout(() => void lookOn(), ms).unref();
  };
  void lookOn();
  return () => {
    over = true;
    if (timer !== null) clearTimeout(timer);
  };
}
