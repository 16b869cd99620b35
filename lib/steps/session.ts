import type { Host } from '../host/host.ts';
import { hasProcesses } from '../host/unit-cgroup.ts';
import { HostError } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

/** What is killed ends at once, unless the kernel holds it. */
const KILLED_MS = 5_000;

/**
 * Ends a login session: asked first (loginctl terminate-session sends SIGTERM), then killed; some sessions survive the asking.
 * What ran in it is gone for good: the profile has allowed it.
 */
export const sessionKind: StepKind<'session'> = {
  describe: ({ id, user }) => `end session ${id} of ${user}`,
  describeUndo: ({ id, user }) => `leave session ${id} of ${user} ended`,
  observe: () => null,

  async apply(step, _was, { host, note }) {
    const isOver = () => !hasProcesses(host, step.cgroup);
    if (isOver()) return null;
    await host.run(['loginctl', '--no-ask-password', 'terminate-session', step.id], {
      timeoutMs: step.timeoutMs,
    });
    const tell = () =>
      note(`Waiting ${step.timeoutMs / 1000} s at most for session ${step.id} of ${step.user} to end`);
    if (await waitUntil(host, step.timeoutMs, isOver, tell)) return null;
    await kill(host, step);
    if (await waitUntil(host, KILLED_MS, isOver)) return null;
    throw new HostError(`Cannot end session ${step.id} of ${step.user}: it still has processes`, {
      hint: `See which (loginctl session-status ${step.id})`,
    });
  },

  undo: () => {},
};

async function kill(host: Host, { id }: StepOf<'session'>): Promise<void> {
  await host.run(['loginctl', '--no-ask-password', '--signal=SIGKILL', 'kill-session', id], {
    timeoutMs: KILLED_MS,
  });
}
