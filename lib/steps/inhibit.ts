import { findInhibitors, inhibitorArgv, readInhibitorState } from '../host/inhibitors.ts';
import { parseStartTicks } from '../host/start-ticks.ts';
import { HostError } from '../words/errors.ts';
import type { StepKind } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

/** How long logind may take to grant the lock, and how long the inhibitor may take to end when told to. */
const GRANT_MS = 5_000;
const END_MS = 10_000;

/**
 * Holds off sleep with a logind lock (systemd-inhibit(1)) that lives as long as the guest has its devices. No number of a
 * process is written down: its own command line, with our token, is its memory, so a kill -9 right after its start
 * loses nothing. A host that may sleep is no reason against a start: where logind refuses, it is a note.
 */
export const inhibitKind: StepKind<'inhibit'> = {
  describe: () => 'hold off sleep',
  describeUndo: () => 'let the host sleep again',
  observe: () => null,

  async apply({ token }, _was, { host, note }) {
    let pid: number;
    try {
      pid = host.spawnDetached(inhibitorArgv(token));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      note(`The host may sleep while the guest runs: ${error.message}`);
      return null;
    }
    const startTicks = parseStartTicks(host.readOptional(`/proc/${pid}/stat`)) ?? -1;
    const state = () => readInhibitorState(host, { pid, startTicks });
    await waitUntil(host, GRANT_MS, () => state() !== 'asking');
    if (state() !== 'holding')
      note('The host may sleep while the guest runs: logind has not granted the lock against it');
    return null;
  },

  async undo({ token }, _was, _got, { host }) {
    for (const inhibitor of findInhibitors(host, token)) {
      const isGone = () => readInhibitorState(host, inhibitor) === 'ended';
      host.signal(inhibitor, 'SIGTERM');
      if (await waitUntil(host, END_MS, isGone)) continue;
      host.signal(inhibitor, 'SIGKILL');
      if (await waitUntil(host, END_MS, isGone)) continue;
      throw new HostError(
        `Cannot let the host sleep again: the inhibitor (process ${inhibitor.pid}) does not end`,
      );
    }
  },

  drift: ({ token }, _was, _got, { host }) =>
    findInhibitors(host, token).some((one) => readInhibitorState(host, one) === 'holding')
      ? null
      : 'nothing holds off sleep any more',
};
