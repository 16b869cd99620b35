import type { Host, ProcessIdentity } from './host.ts';
import { parseStartTicks } from './start-ticks.ts';

/** Whether exactly that process still runs; a zombie has ended and only waits to be collected. */
export function isRunning(host: Host, { pid, startTicks }: ProcessIdentity): boolean {
  const stat = host.readOptional(`/proc/${pid}/stat`);
  return parseStartTicks(stat) === startTicks && !/\) [ZX] /.test(stat ?? '');
}
