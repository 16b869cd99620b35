import type { Host } from '../host/host.ts';

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
  readonly pid: number | null;
  /** When it started, in ms; null where it does not run. */
  readonly startedAt: number | null;
}

/** Finds the daemon: the split one where it runs or is the only one installed, else the one for all drivers. */
export async function readDaemon(host: Host): Promise<Daemon | null> {
  const running = ['virtqemud', 'libvirtd'].map((name) => ({ name, pid: findProcess(host, name) }));
  const installed = running.filter(({ name, pid }) => pid !== null || programPath(host, name) !== null);
  const chosen = installed.find(({ pid }) => pid !== null) ?? installed.at(-1);
  if (chosen === undefined) return null;
  const path = programPath(host, chosen.name);
  const facts = chosen.pid === null ? null : host.stat(`/proc/${chosen.pid}`);
  return {
    ...chosen,
    version: path === null ? null : await readVersion(host, path),
    startedAt: facts?.changedMs ?? null,
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

function findProcess(host: Host, name: string): number | null {
  const pid = host
    .list('/proc')
    .find((one) => /^\d+$/.test(one) && host.readOptional(`/proc/${one}/comm`) === name);
  return pid === undefined ? null : Number(pid);
}
