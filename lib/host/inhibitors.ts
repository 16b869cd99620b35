import type { Host, ProcessIdentity } from './host.ts';
import { parseStartTicks } from './start-ticks.ts';
import { SYSTEM_PATH } from './system-path.ts';

const PROGRAM = 'systemd-inhibit';

/** Whether sleep can be held off here: systemd runs this host (sd_booted(3)) and its systemd-inhibit(1) is installed. */
export function readInhibitSupport(host: Host): boolean {
  if (!host.exists('/run/systemd/system')) return false;
  return SYSTEM_PATH.split(':').some((folder) => host.exists(`${folder}/${PROGRAM}`));
}

/** The command of an inhibitor that lasts until it is ended. The token in its reason finds it again. */
export function inhibitorArgv(token: string): readonly string[] {
  const what = '--what=sleep:idle:handle-lid-switch';
  return [PROGRAM, what, '--who=passqemu', `--why=${token}`, '--mode=block', 'sleep', 'infinity'];
}

/** Our inhibitors with this token: processes of the same user whose command is exactly ours. */
export function findInhibitors(host: Host, token: string): ProcessIdentity[] {
  const wanted = inhibitorArgv(token).slice(1).join('\0');
  const user = host.stat(`/proc/${host.self().pid}`)?.uid ?? 0;
  const found: ProcessIdentity[] = [];
  for (const name of host.list('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [program = '', ...rest] = host.readOptional(`/proc/${name}/cmdline`)?.split('\0') ?? [];
    if (!/(?:^|\/)systemd-inhibit$/.test(program) || rest.join('\0') !== wanted) continue;
    const startTicks = parseStartTicks(host.readOptional(`/proc/${name}/stat`));
    if (startTicks === null || host.stat(`/proc/${name}`)?.uid !== user) continue;
    found.push({ pid: Number(name), startTicks });
  }
  return found;
}

/**
 * How an inhibitor fares: it starts its command only when logind has granted the lock, and ends at once when it refuses.
 * See /proc/PID/task/TID/children in proc(5); a kernel without that file says "holding" from the start.
 */
export function readInhibitorState(
  host: Host,
  { pid, startTicks }: ProcessIdentity,
): 'asking' | 'holding' | 'ended' {
  const stat = host.readOptional(`/proc/${pid}/stat`);
  if (parseStartTicks(stat) !== startTicks || /\) [ZX] /.test(stat ?? '')) return 'ended';
  return host.readOptional(`/proc/${pid}/task/${pid}/children`) === '' ? 'asking' : 'holding';
}
