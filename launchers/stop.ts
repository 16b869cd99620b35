import { findJournal } from '../lib/apply/find-journal.ts';
import { readState } from '../lib/apply/journal.ts';
import { releaseGuest } from '../lib/apply/release.ts';
import { isRunning } from '../lib/host/is-running.ts';
import { driveLife } from '../lib/run/drive-life.ts';
import { readGuestState } from '../lib/run/guest-state.ts';
import { forgetEnded, type LaunchRecord } from '../lib/run/launch-record.ts';
import { type LifeTimes, phaseOf, STOP_TIMES } from '../lib/run/life.ts';
import type { QmpClient } from '../lib/run/qmp-client.ts';
import { waitUntil } from '../lib/steps/wait-until.ts';
import { HostError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { findLaunched, isLaunched, launchStateDir, talkTo } from './launched.ts';
import { LOCK_WAIT_MS } from './prepare.ts';
import { watchingReport } from './watching-report.ts';

/** How long the launcher may take to give everything back: NVIDIA's driver needs its time. */
const RELEASE_MS = 120_000;

/** `passqemu stop <guest> [--force]`: powers the guest down, ends QEMU where it does not, and is done when the host has everything back. */
export async function stop(line: CommandLine, globals: Globals): Promise<number> {
  const { host } = globals;
  if (line.has('if-running') && !isLaunched(line.words[0] ?? '', globals)) return 0;
  const record = findLaunched(line.words[0] ?? '', globals);
  const times = {
    ...STOP_TIMES,
    stopMs: record.stopMs,
    ...(line.value('timeout') !== null && { stopMs: readSeconds(line.value('timeout')!) }),
  };
  const force = line.has('force');
  await endGuest(record, globals, times, force);
  const stateDir = launchStateDir(globals);
  // Its launcher gives everything back; where it was killed, we do
  const isOver = () => !isRunning(host, record.launcher);
  if (!(await waitUntil(host, RELEASE_MS, isOver))) {
    throw new HostError(`${record.guest} has ended, but its launcher ${record.launcher.pid} still runs`, {
      hint: 'passqemu status tells what is not back yet',
    });
  }
  forgetEnded(host, stateDir);
  if (findJournal(readState(host, stateDir).journals, { guest: record.guest, uuid: null }) !== null) {
    const report = watchingReport(globals, record.guest, 'release');
    await releaseGuest(
      host,
      { stateDir, guest: record.guest, uuid: async () => null, lockWaitMs: LOCK_WAIT_MS },
      report,
    );
  }
  globals.out(
    globals.json ? JSON.stringify({ guest: record.guest, done: 'stopped' }) : `${record.guest} is stopped`,
  );
  return 0;
}

async function endGuest(
  record: LaunchRecord,
  globals: Globals,
  times: LifeTimes,
  force: boolean,
): Promise<void> {
  const { host, err, quiet } = globals;
  const isGone = () => !isRunning(host, record.qemu);
  let qmp: QmpClient;
  let state: string;
  try {
    qmp = await talkTo(record, globals, 'qmp');
    state = await readGuestState(qmp);
  } catch (error) {
    // A QEMU that no longer listens can still be ended
    if (!force || !(error instanceof HostError)) throw error;
    host.signal(record.qemu, 'SIGTERM');
    if (!(await waitUntil(host, times.quitMs, isGone))) host.signal(record.qemu, 'SIGKILL');
    await waitUntil(host, times.quitMs, isGone);
    return;
  }
  const life = driveLife({
    host,
    qmp,
    qemu: record.qemu,
    times,
    phase: phaseOf(state),
    say: (line) => void (quiet || err(line)),
    lookAfterThreads: () => Promise.resolve(),
  });
  life.order();
  // The second order is the one that ends QEMU
  if (force) life.ask();
  const ended = await waitUntil(host, times.stopMs + 2 * times.quitMs, isGone);
  life.end();
  qmp.close();
  if (!ended) {
    throw new HostError(
      `Cannot end ${record.guest}: its QEMU ${record.qemu.pid} is still there after SIGKILL`,
      {
        hint: 'The kernel holds it: dmesg and /proc/PID/stack tell where',
      },
    );
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,5}$/.test(text))
    throw new HostError(`Cannot wait ${JSON.stringify(text)}: --timeout takes seconds`);
  return seconds * 1000;
}
