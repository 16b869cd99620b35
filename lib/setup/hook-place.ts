import type { Host, ProcessIdentity } from '../host/host.ts';
import { parseStartTicks } from '../host/start-ticks.ts';

/** libvirt reads hooks/qemu.d/ since 6.5.0 (its docs/hooks.rst). */
const FOLDER_SINCE: readonly [number, number] = [6, 5];
export const HOOKS_FOLDER = '/etc/libvirt/hooks';
/** Both files that a hook of ours may be in, the present form first. */
export const HOOK_PLACES = [`${HOOKS_FOLDER}/qemu.d/passqemu`, `${HOOKS_FOLDER}/qemu`] as const;

/** The libvirt daemon that runs the hook. */
export interface Daemon {
  /** "virtqemud" where the split daemon is there, else "libvirtd". */
  readonly name: string;
  readonly version: readonly [number, number, number] | null;
  readonly process: ProcessIdentity | null;
  /** When it started, in ms; null where it does not run. */
  readonly startedAt: number | null;
}

/**
 * Finds the daemon: the one that root runs, the split one first; else the one that systemd will start when somebody asks (its
 * socket is enabled), else the only one that is installed. A user's own daemon (qemu:///session) runs no hook of the system's.
 */
export async function readDaemon(host: Host): Promise<Daemon | null> {
  const names = ['virtqemud', 'libvirtd'];
  const found = names.map((name) => ({ name, process: findProcess(host, name) }));
  const installed = found.filter(({ name, process }) => process !== null || programPath(host, name) !== null);
  const chosen =
    installed.find(({ process }) => process !== null) ??
    installed.find(({ name }) => hasSocket(host, name)) ??
    installed.at(-1);
  if (chosen === undefined) return null;
  const path = programPath(host, chosen.name);
  return {
    ...chosen,
    version: path === null ? null : await readVersion(host, path),
    startedAt: chosen.process === null ? null : startedAtMs(host, chosen.process),
  };
}

/** Where the hook belongs for this libvirt; the folder where the version is not known (every supported release has it). */
export function hookPlace(daemon: Daemon | null): string {
  const version = daemon?.version ?? null;
  if (version === null) return HOOK_PLACES[0];
  const [major, minor] = version;
  const [sinceMajor, sinceMinor] = FOLDER_SINCE;
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)
    ? HOOK_PLACES[0]
    : HOOK_PLACES[1];
}

async function readVersion(host: Host, path: string): Promise<Daemon['version']> {
  const { stdout } = await host.run([path, '--version'], { timeoutMs: 10_000 });
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

function programPath(host: Host, name: string): string | null {
  return (
    ['/usr/sbin', '/usr/bin', '/sbin']
      .map((folder) => `${folder}/${name}`)
      .find((path) => host.exists(path)) ?? null
  );
}

function findProcess(host: Host, name: string): ProcessIdentity | null {
  for (const pid of host.list('/proc')) {
    if (!/^\d+$/.test(pid) || host.readOptional(`/proc/${pid}/comm`) !== name) continue;
    const startTicks = parseStartTicks(host.readOptional(`/proc/${pid}/stat`));
    if (startTicks !== null && host.stat(`/proc/${pid}`)?.uid === 0) return { pid: Number(pid), startTicks };
  }
  return null;
}

/** Whether systemd listens for it: a link in what sockets.target wants. */
function hasSocket(host: Host, name: string): boolean {
  return host.exists(`/etc/systemd/system/sockets.target.wants/${name}.socket`);
}

/** Boot time (btime of /proc/stat, proc(5)) and the process's start after it, in ticks of 10 ms (USER_HZ). */
function startedAtMs(host: Host, { startTicks }: ProcessIdentity): number | null {
  const boot = /^btime (\d{1,12})$/m.exec(host.readOptional('/proc/stat') ?? '');
  return boot === null ? null : Number(boot[1]) * 1000 + startTicks * 10;
}
