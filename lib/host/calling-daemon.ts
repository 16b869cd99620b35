import type { Host, ProcessIdentity } from './host.ts';
import { parseStartTicks } from './start-ticks.ts';

/** Names of /proc/PID/comm under which libvirt calls its hooks for QEMU guests. */
const DAEMONS: ReadonlySet<string> = new Set(['libvirtd', 'virtqemud']);
/** Between the daemon and us are the shells of the hook's head, and whatever a foreign hook that calls ours may add. */
const FURTHEST = 8;

/** The libvirt daemon that has called us, which waits for our end; null where a person or another program has. See proc(5): stat, field 4. */
export function readCallingDaemon(host: Host): ProcessIdentity | null {
  let { pid } = host.self();
  for (let steps = 0; steps < FURTHEST; steps++) {
    const stat = host.readOptional(`/proc/${pid}/stat`);
    const startTicks = parseStartTicks(stat);
    if (stat === null || startTicks === null) return null;
    if (DAEMONS.has(host.readOptional(`/proc/${pid}/comm`) ?? '')) return { pid, startTicks };
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  return null;
}
