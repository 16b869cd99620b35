import type { Host } from '../host/host.ts';
import { waitUntil } from '../steps/wait-until.ts';
import { PassqemuError, RefusedError, ReleaseError } from '../words/errors.ts';
import { findJournal } from './find-journal.ts';
import { appendLine, heldSteps, liveEntries, readCurrentState, readState } from './journal.ts';
import type { Journal } from './journal-text.ts';
import { findQemu, isWaitedFor, openGroups, whyAlive, whyRunning } from './owner.ts';
import type { Report } from './report.ts';
import { settleJournals } from './settle.ts';
import { ensureStateFolder, takeLock } from './state-folder.ts';
import { withStory } from './story.ts';
import { writeSummary } from './summary.ts';
import { undoJournal } from './undo.ts';
import { watchAgain } from './watch-again.ts';

/** How long the kernel may take to close a dead QEMU's devices: libvirt itself allows seconds for each. */
const CLOSE_MS = 15_000;

export interface ReleaseRequest {
  readonly stateDir: string;
  readonly guest: string;
  /** From the domain XML, asked for only where no journal has the name: a guest that does not run may have been renamed. */
  readonly uuid: () => Promise<string | null>;
  readonly lockWaitMs: number;
}

/** Gives back all that a guest's journal lists. With no journal it does nothing. Throws a ReleaseError that lists what is not back. */
export async function releaseGuest(
  host: Host,
  request: ReleaseRequest,
  report: Report,
): Promise<'released' | 'nothing held'> {
  const { stateDir, guest } = request;
  const before = await findToRelease(readState(host, stateDir).journals, request);
  if (before === null && !hasUnreadable(host, request)) return 'nothing held';
  ensureStateFolder(host, stateDir);
  try {
    await takeLock(host, stateDir, `release of ${guest}`, request.lockWaitMs, report.note);
  } catch (error) {
    if (before !== null && error instanceof PassqemuError) leavePending(host, before, error.message);
    throw error;
  }
  const state = readCurrentState(host, stateDir);
  const bad = state.unreadable.find(({ path }) => path === `${stateDir}/${guest}.jsonl`);
  if (bad !== undefined) {
    throw new ReleaseError(`Cannot release ${guest}: its journal ${bad.path} cannot be read: ${bad.why}`, [
      bad.path,
    ]);
  }
  const journal = await findToRelease(state.journals, request);
  if (journal === null) {
    writeSummary(host, stateDir);
    return 'nothing held';
  }
  await settleJournals(host, state.journals, report.note);
  // libvirt calls us when its QEMU is gone; a launcher may have been killed before its own was
  const isLaunched = journal.owner.kind === 'launcher';
  const isFree = () =>
    openGroups(host, journal).length === 0 && !(isLaunched && findQemu(host, journal) !== null);
  const isClosed = await waitUntil(host, CLOSE_MS, isFree);
  if (!isClosed && isGone(host, journal)) {
    report.note(
      `VFIO group ${openGroups(host, journal).join(', ')} is open, and not by this guest: what else it holds is given back`,
    );
  } else if (!isClosed) {
    leavePending(host, journal, 'its devices were still open');
    throw new RefusedError(
      `Cannot release ${guest}: ${whyRunning(host, journal)}, the process that has it must end first`,
      [],
      'Stop the guest, then run passqemu release again; recover will do it too',
    );
  }
  await undoAndTell(host, stateDir, journal, state.journals, report);
  return 'released';
}

/** Gives back what guests that no longer run hold; safe while others run. Answers what was released and what was left alone, and why. */
export async function recoverAll(
  host: Host,
  stateDir: string,
  lockWaitMs: number,
  report: Report,
): Promise<{ released: string[]; kept: { guest: string; why: string }[] }> {
  const released: string[] = [];
  const kept: { guest: string; why: string }[] = [];
  if (host.list(stateDir).every((name) => !name.endsWith('.jsonl'))) return { released, kept };
  ensureStateFolder(host, stateDir);
  await takeLock(host, stateDir, 'recover', lockWaitMs, report.note);
  const state = readCurrentState(host, stateDir);
  const left = state.unreadable.map(({ path, why }) => `${path} cannot be read: ${why}`);
  await settleJournals(host, state.journals, report.note);
  for (const journal of state.journals) {
    const why = whyAlive(host, journal);
    if (why !== null) {
      kept.push({ guest: journal.header.guest, why });
      if (isWaitedFor(host, journal)) await watchAgain(host, journal, report.note);
      continue;
    }
    try {
      await undoAndTell(host, stateDir, journal, readState(host, stateDir).journals, report);
      released.push(journal.header.guest);
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      left.push(...error.left);
    }
  }
  writeSummary(host, stateDir);
  if (left.length > 0) throw new ReleaseError(`Cannot give everything back: ${left.join('; ')}`, left);
  return { released, kept };
}

/** Undoes one journal and writes the summary anew; throws a ReleaseError where something is not back. */
export async function undoAndTell(
  host: Host,
  stateDir: string,
  journal: Journal,
  all: readonly Journal[],
  report: Report,
): Promise<void> {
  const { guest } = journal.header;
  const others = heldSteps(all.filter((other) => other.path !== journal.path));
  // It writes only under the lock, which is ours
  if (journal.watcher !== null) host.signal(journal.watcher, 'SIGTERM');
  // From here on the guest is no longer prepared: whoever finds the journal after us goes on
  if (journal.ready && journal.pending === null) leavePending(host, journal, 'its release was not completed');
  const steps = liveEntries(journal).map(({ step }) => step);
  const told = withStory(host, { stateDir, guest, operation: 'release' }, steps, report);
  const left = await undoJournal(host, journal, others, told);
  if (left.length > 0) {
    writeSummary(host, stateDir);
    throw new ReleaseError(
      `Cannot release ${guest} fully, still not back: ${left.join('; ')}`,
      left,
      `Run passqemu release ${guest} again once the cause is gone`,
    );
  }
}

/** No two guests of one name can run, so the name decides where it is known, and the XML need not be read. */
async function findToRelease(
  journals: readonly Journal[],
  { guest, uuid }: ReleaseRequest,
): Promise<Journal | null> {
  const byName = journals.find(({ header }) => header.guest === guest);
  return byName ?? (journals.length === 0 ? null : findJournal(journals, { guest, uuid: await uuid() }));
}

function hasUnreadable(host: Host, { stateDir, guest }: ReleaseRequest): boolean {
  const { unreadable, empty } = readState(host, stateDir);
  const path = `${stateDir}/${guest}.jsonl`;
  return unreadable.some((one) => one.path === path) || empty.includes(path);
}

/** libvirt's guest has ended: what is open now has been given to somebody else, as a device that was detached while it ran. */
function isGone(host: Host, journal: Journal): boolean {
  return journal.owner.kind === 'libvirt' && findQemu(host, journal) === null;
}

/** A mark that the next call or recover honours: what this journal holds is to be given back. */
function leavePending(host: Host, journal: Journal, why: string): void {
  try {
    appendLine(host, journal, { t: 'pending', why });
  } catch (error) {
    if (!(error instanceof PassqemuError)) throw error;
    host.log('warning', error.message);
  }
}
