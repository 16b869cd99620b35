import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { KindName } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';

/** Process 1 may be busy: it stops or starts the desktop. */
const CALL_MS = 30_000;
/** Without these back the screen may stay dark. */
const SHOWS: readonly KindName[] = ['driver', 'unit', 'console', 'framebuffer', 'unload'];

/**
 * Starts a timer (systemd-run(1)) before the screen goes dark: should we be killed, or the guest's QEMU never come, it runs recover,
 * which gives back what nobody uses. It does no harm where it comes too late, so that it cannot be had is only a note.
 */
export const watchdogKind: StepKind<'watchdog'> = {
  describe: ({ afterSeconds }) => `have everything given back in ${afterSeconds} s if no guest runs by then`,
  describeUndo: () => 'stop the timer that would give everything back',
  observe: () => null,

  async apply({ unit, argv, afterSeconds }, _was, { host, note }) {
    await stop(host, unit);
    // A timer is up to a minute late otherwise (AccuracySec= in systemd.timer(5)), with the screen dark
    const exact = '--timer-property=AccuracySec=1s';
    const words = ['--quiet', '--collect', `--unit=${unit}`, `--on-active=${afterSeconds}`, exact];
    const why = await failureOf(host, ['systemd-run', ...words, '--', ...argv]);
    if (why !== null) note(`Nothing gives the display back by itself if this fails: ${why}`);
    return null;
  },

  async undo({ unit }, _was, _got, { host, own = [] }) {
    // Undo goes backwards, so what is still in force of these is what could not be given back
    if (own.some(({ step }) => SHOWS.includes(step.kind)) && host.exists(timerFile(unit)))
      throw new HostError(
        `Cannot stop the timer ${unit}.timer: it stays until all is back, and tries again`,
        {
          path: timerFile(unit),
        },
      );
    const why = await stop(host, unit);
    // Its file may outlive it for a moment, and as long as what it has started runs: recover itself may be that
    if (why !== null && host.exists(timerFile(unit)))
      throw new HostError(`Cannot stop the timer ${unit}.timer: ${why}`, { path: timerFile(unit) });
  },
};

/** One that has gone off, or never was, is as good as stopped. */
async function stop(host: Host, unit: string): Promise<string | null> {
  if (!host.exists(timerFile(unit))) return null;
  return failureOf(host, ['systemctl', '--no-ask-password', 'stop', '--', `${unit}.timer`]);
}

function timerFile(unit: string): string {
  return `/run/systemd/transient/${unit}.timer`;
}

async function failureOf(host: Host, argv: readonly string[]): Promise<string | null> {
  try {
    const { status, stderr, timedOut } = await host.run(argv, { timeoutMs: CALL_MS });
    if (status === 0) return null;
    return timedOut
      ? `${argv[0]} has not ended`
      : stderr.trim().split('\n').at(-1)?.slice(0, 200) || `${argv[0]} failed`;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return error.message;
  }
}
