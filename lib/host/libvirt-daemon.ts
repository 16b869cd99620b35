import type { Host } from './host.ts';
import { SEEN_MARK } from './libvirt-hooks.ts';
import type { ProcessFacts } from './process-list.ts';

/** The libvirt daemon for QEMU guests; `startedMs` since the epoch. */
export interface LibvirtDaemon {
  readonly name: 'virtqemud' | 'libvirtd';
  readonly pid: number | null;
  readonly startedMs: number | null;
  /** We have reloaded it after a hook was there. */
  readonly toldToLook: boolean;
}

const NAMES = ['virtqemud', 'libvirtd'] as const;
const FOLDERS = ['/usr/sbin', '/usr/bin', '/run/current-system/sw/bin'];
/** Ticks of /proc/PID/stat are hundredths of a second on every architecture of today (USER_HZ). */
const TICK_MS = 10;

/** Finds the daemon: the one that runs, else the one that is installed; null where there is none. */
export function readLibvirtDaemon(host: Host, processes: readonly ProcessFacts[]): LibvirtDaemon | null {
  for (const name of NAMES) {
    const running = processes.find(({ comm }) => comm === name);
    if (running === undefined) continue;
    // Boot time and start ticks: the time of the folder in /proc is only that of the first look at it
    const boot = /^btime (\d{1,12})$/m.exec(host.readOptional('/proc/stat') ?? '');
    const startedMs = boot === null ? null : Number(boot[1]) * 1000 + running.startTicks * TICK_MS;
    const seen = host.readOptional(SEEN_MARK) === `${running.pid} ${running.startTicks}`;
    return { name, pid: running.pid, startedMs, toldToLook: seen };
  }
  const installed = NAMES.find((name) => FOLDERS.some((folder) => host.exists(`${folder}/${name}`)));
  return installed === undefined ? null : { name: installed, pid: null, startedMs: null, toldToLook: false };
}
