import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { KindName, StepOf } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';

/** Process 1 may be busy: it stops or starts the desktop. */
const CALL_MS = 30_000;
/** Without these back the screen may stay dark. */
const SHOWS: readonly KindName[] = ['driver', 'unit', 'console', 'framebuffer', 'unload'];

/** How often it is tried to give the display back: by release, then by the timer. */
const MOST_TRIES = 4;

/**
 * Starts a timer (systemd-run(1)) before the screen goes dark: should we be killed, or the guest's QEMU never come, it runs recover,
 * which gives back what nobody uses. It does no harm where it comes too late, so that it cannot be had is only a note. Where the
 * display is not back when all else is, undo starts it anew, so that it is tried again with nobody at hand.
 */
export const watchdogKind: StepKind<'watchdog'> = {
  describe: ({ afterSeconds }) => `have everything given back in ${afterSeconds} s if no guest runs by then`,
  describeUndo: () => 'stop the timer that would give everything back',
  observe: () => null,

  async apply(step, _was, { host, note }) {
    const why = await start(host, step);
    if (why !== null) note(`Nothing gives the display back by itself if this fails: ${why}`);
    return { failed: 0 };
  },

  async undo(step, _was, got, { host, own = [] }) {
    const { unit, afterSeconds } = step;
    // Undo goes backwards, so what is still in force of these is what could not be given back
    const isDark = own.some((held) => SHOWS.includes(held.step.kind));
    if (isDark && (got?.failed ?? 0) < MOST_TRIES - 1 && (await start(host, step)) === null)
      throw new HostError(
        `Cannot stop the timer ${unit}.timer: it stays until all is back, and tries again in ${afterSeconds} s`,
        { path: timerFile(unit) },
      );
    const why = await stop(host, unit);
    // Its file may outlive it for a moment
    if (why !== null && host.exists(timerFile(unit)))
      throw new HostError(`Cannot stop the timer ${unit}.timer: ${why}`, { path: timerFile(unit) });
  },

  settle: () => ({ failed: 0 }),
  settleUndo: (_step, _was, got) => ({ failed: got.failed + 1 }),
};

/** Why it could not be started, or null. */
async function start(host: Host, { unit, argv, afterSeconds }: StepOf<'watchdog'>): Promise<string | null> {
  await stop(host, unit);
  // A timer is up to a minute late otherwise (AccuracySec= in systemd.timer(5)), with the screen dark
  const exact = '--timer-property=AccuracySec=1s';
  const words = ['--quiet', '--collect', `--unit=${unit}`, `--on-active=${afterSeconds}`, exact];
  return failureOf(host, ['systemd-run', ...words, '--', ...argv]);
}

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
