import type { Host, ProcessIdentity } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import { parseStartTicks } from '../host/start-ticks.ts';
import { formatCpuList } from '../words/cpu-list.ts';
import { PassqemuError } from '../words/errors.ts';
import { moveEmulatorThreads } from './emulator-threads.ts';
import { findJournal } from './find-journal.ts';
import { InterruptKeeper } from './interrupt-keeper.ts';
import { appendLine, readState } from './journal.ts';
import type { Journal } from './journal-text.ts';
import { findQemu } from './owner.ts';
import { takeLock } from './state-folder.ts';
import type { WatchOrder } from './watch-order.ts';

/** How often it looks while the guest's drivers are busy with their devices, and how often later. */
const BUSY_MS = 1_000;
const IDLE_MS = 5_000;
const BUSY_FOR_MS = 120_000;

/**
 * Stays with a running guest and keeps the interrupts of its functions on its CPUs: they appear when the guest's driver
 * loads, and again after a reboot of the guest, of which libvirt tells no hook. It is told by nothing else either (neither sysfs nor
 * /proc/irq has events), so it looks: some file reads, every few seconds. It ends when QEMU or the journal is gone, and holds the lock only while it
 * writes. Answers why it ended. Best effort in everything: nothing depends on it.
 */
export async function watchGuest(
  host: Host,
  stateDir: string,
  order: WatchOrder,
  lockWaitMs: number,
): Promise<string> {
  const journal = await register(host, stateDir, order, lockWaitMs);
  if (typeof journal === 'string') return journal;
  const pid = findQemu(host, journal);
  if (pid === null) return 'its QEMU is not there';
  const qemu = { pid, startTicks: parseStartTicks(host.readOptional(`/proc/${pid}/stat`)) ?? 0 };
  const tell = (line: string) => host.log('info', `${order.guest} watch: ${line}`);
  if (order.keepEmulatorOff !== null) {
    const moved = await moveEmulatorThreads(host, pid, order.keepEmulatorOff);
    if (moved > 0)
      tell(`moved ${moved} threads of QEMU ${pid} off CPUs ${formatCpuList(order.keepEmulatorOff)}`);
  }
  if (order.interruptCpus === null || order.addresses.length === 0) return 'there are no interrupts to place';
  const look = interruptWatch(host, stateDir, journal, qemu, order);
  for (let ms = await look(); ms !== null; ms = await look()) await host.sleep(ms);
  return host.exists(journal.path) ? 'its QEMU has ended' : 'the guest holds nothing any more';
}

/**
 * One look after a running guest's interrupts, to be called again after as many milliseconds as it answers; null when QEMU or the journal is
 * gone, or there is nothing to place.
 */
export function interruptWatch(
  host: Host,
  stateDir: string,
  journal: Journal,
  qemu: ProcessIdentity,
  { guest, interruptCpus, addresses }: Pick<WatchOrder, 'guest' | 'interruptCpus' | 'addresses'>,
): () => Promise<number | null> {
  if (interruptCpus === null || addresses.length === 0) return async () => null;
  const keeper = new InterruptKeeper(interruptCpus, addresses);
  let busyUntil = host.now() + BUSY_FOR_MS;
  return async () => {
    if (!isRunning(host, qemu) || !host.exists(journal.path)) return null;
    const elsewhere = keeper.look(host);
    if (elsewhere.length > 0) {
      busyUntil = host.now() + BUSY_FOR_MS;
      const moved = await underLock(host, stateDir, guest, 0, () =>
        isStillPrepared(host, stateDir, journal, qemu) ? keeper.move(host, elsewhere) : [],
      );
      if (moved !== null && moved.length > 0) host.log('info', `${guest} watch: ${keeper.describe(moved)}`);
    }
    return host.now() < busyUntil ? BUSY_MS : IDLE_MS;
  };
}

/** Writes us into the guest's journal, so that there is one watcher a guest and a release can end it; or says why there is to be none. */
async function register(
  host: Host,
  stateDir: string,
  order: WatchOrder,
  lockWaitMs: number,
): Promise<Journal | string> {
  const answer = await underLock(host, stateDir, order.guest, lockWaitMs, () => {
    const journal = findJournal(readState(host, stateDir).journals, order);
    if (journal === null || !journal.ready || journal.pending !== null) return 'the guest is not prepared';
    if (journal.watcher !== null && isRunning(host, journal.watcher))
      return `process ${journal.watcher.pid} watches it`;
    appendLine(host, journal, { t: 'watcher', ...host.self() });
    return journal;
  });
  return answer ?? 'the lock was not to be had';
}

/** What is done under the lock beside a running guest; null where the lock is not to be had, or it fails: nothing depends on it. */
export async function underLock<T>(
  host: Host,
  stateDir: string,
  guest: string,
  waitMs: number,
  act: () => T,
): Promise<T | null> {
  try {
    await takeLock(host, stateDir, `watch of ${guest}`, waitMs, () => {});
    return act();
  } catch (error) {
    if (!(error instanceof PassqemuError)) throw error;
    host.log('debug', `${guest} watch: ${error.message}`);
    return null;
  } finally {
    host.unlock();
  }
}

/** The same prepare of the same guest, and no release has begun. */
function isStillPrepared(host: Host, stateDir: string, journal: Journal, qemu: ProcessIdentity): boolean {
  const now = readState(host, stateDir).journals.find(({ path }) => path === journal.path);
  return now?.header.at === journal.header.at && now.ready && now.pending === null && isRunning(host, qemu);
}
