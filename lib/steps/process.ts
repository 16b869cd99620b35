import type { Host } from '../host/host.ts';
import { parseStartTicks } from '../host/start-ticks.ts';
import { HostError } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

const KILLED_MS = 5_000;

/** Ends exactly one process that has the card open and that the profile names: SIGTERM, and only then SIGKILL. */
export const processKind: StepKind<'process'> = {
  describe: ({ comm, pid }) => `end ${comm} (process ${pid})`,
  describeUndo: ({ comm, pid }) => `leave ${comm} (process ${pid}) ended`,
  observe: () => null,

  async apply(step, _was, { host, note }) {
    const isOver = () => hasEnded(host, step);
    if (isOver()) return null;
    host.signal(step, 'SIGTERM');
    const tell = () =>
      note(`Waiting ${step.timeoutMs / 1000} s at most for ${step.comm} (process ${step.pid}) to end`);
    if (await waitUntil(host, step.timeoutMs, isOver, tell)) return null;
    note(`${step.comm} (process ${step.pid}) has not ended within ${step.timeoutMs / 1000} s: it is killed`);
    host.signal(step, 'SIGKILL');
    if (await waitUntil(host, KILLED_MS, isOver)) return null;
    throw new HostError(`Cannot end ${step.comm} (process ${step.pid}): it is killed, but does not end`, {
      path: `/proc/${step.pid}`,
    });
  },

  undo: () => {},
};

function hasEnded(host: Host, { pid, startTicks }: StepOf<'process'>): boolean {
  const stat = host.readOptional(`/proc/${pid}/stat`);
  return parseStartTicks(stat) !== startTicks || /\) [ZX] /.test(stat ?? '');
}
