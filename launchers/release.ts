import { profilePlace } from '../lib/apply/profile-place.ts';
import { releaseGuest } from '../lib/apply/release.ts';
import { isRunning } from '../lib/host/is-running.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { forgetEnded, readLaunches } from '../lib/run/launch-record.ts';
import { RefusedError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { LOCK_WAIT_MS } from './prepare.ts';
import { watchingReport } from './watching-report.ts';

/** `passqemu release <guest>`: gives back what the guest's journal lists; with nothing held it does nothing. */
export async function release(line: CommandLine, globals: Globals): Promise<number> {
  // A change that gives back is finished, not broken off
  watchSignals();
  const { host, stateDir, configDir } = globals;
  const { guest } = profilePlace(configDir, line.words[0] ?? '');
  refuseRunning(guest, globals);
  const report = watchingReport(globals, guest, 'release');
  const done = await releaseGuest(
    host,
    { stateDir, guest, uuid: async () => null, lockWaitMs: LOCK_WAIT_MS },
    report,
  );
  forgetEnded(host, stateDir);
  if (globals.json) globals.out(JSON.stringify({ guest, done }));
  else
    globals.out(
      done === 'released' ? `${guest} is released; the host is as it was` : `${guest} holds nothing`,
    );
  return 0;
}

/** What a guest of `passqemu run` holds is its own while its QEMU runs; the launcher, or whoever stops it, gives it back. */
function refuseRunning(guest: string, { host, stateDir }: Globals): void {
  const running = readLaunches(host, stateDir).find(
    (one) => one.guest === guest && isRunning(host, one.qemu),
  );
  if (running === undefined) return;
  throw new RefusedError(
    `Cannot release ${guest}: it runs (QEMU is process ${running.qemu.pid}), it must end first`,
    [],
    `passqemu stop ${guest} ends it and gives everything back`,
  );
}
