import type { Host } from '../host/host.ts';
import { readProgramFault } from '../host/programs.ts';
import { HostError, RefusedError } from '../words/errors.ts';
import { HOOK_PLACES, HOOKS_FOLDER, hookPlace, readDaemon } from './hook-place.ts';

/** By this every version of our hook is known again. */
const MARK = 'passqemu, hook for libvirt';
const NODE_LINE = /^node=.*$/m;

/** What `hooks status` says. */
export interface HookStatus {
  readonly place: string;
  readonly state: 'installed' | 'missing' | 'stale' | 'not executable' | 'foreign';
  readonly daemon: {
    readonly name: string;
    readonly version: string | null;
    readonly running: boolean;
  } | null;
  /** Whether the running daemon knows that there are hooks; null where it cannot be told. */
  readonly seen: boolean | null;
  readonly hints: readonly string[];
}

/** Installs the bundle as libvirt's hook; a second time changes nothing. Answers whether anything was written. */
export async function installHook(
  host: Host,
  bundle: string,
  node: string,
): Promise<{ status: HookStatus; written: boolean }> {
  const why = readProgramFault(host, node);
  if (why !== null) {
    throw new RefusedError(
      `Cannot install the hook with ${node}: ${why}; root runs it`,
      [],
      'Install Node.js 20 or later for all users (apt install nodejs, dnf install nodejs) and run passqemu with that one',
    );
  }
  const daemon = await readDaemon(host);
  const place = hookPlace(daemon);
  const there = host.readOptional(place);
  if (there !== null && !there.includes(MARK)) {
    throw new RefusedError(
      `Cannot install the hook: ${place} is somebody else’s`,
      [],
      place === HOOK_PLACES[1]
        ? `Let it call ours at its end: /usr/local/lib/passqemu/qemu "$@" (standard input must reach both)`
        : 'Move it to another name in the same folder, then install again',
    );
  }
  const text = hookText(bundle, node);
  const isSame = there === text.trimEnd() && ((host.stat(place)?.mode ?? 0) & 0o755) === 0o755;
  if (!isSame) {
    host.makeFolder(place.slice(0, place.lastIndexOf('/')), 0o755);
    host.replaceFile(place, text, 0o755);
    if (daemon?.pid != null) await reload(host, daemon.name, daemon.pid);
  }
  return { status: await readHookStatus(host, bundle, node), written: !isSame };
}

/** Removes our hook from both places; what is somebody else's stays. Answers what was removed. */
export function uninstallHook(host: Host): string[] {
  const removed: string[] = [];
  for (const place of HOOK_PLACES) {
    if (host.readOptional(place)?.includes(MARK)) {
      host.remove(place);
      removed.push(place);
    }
  }
  if (removed.length > 0 && host.list(`${HOOKS_FOLDER}/qemu.d`).length === 0)
    host.remove(`${HOOKS_FOLDER}/qemu.d`);
  return removed;
}

/** Looks at what is installed, and whether the running daemon can know of it. */
export async function readHookStatus(host: Host, bundle: string | null, node: string): Promise<HookStatus> {
  const daemon = await readDaemon(host);
  const place = hookPlace(daemon);
  const text = host.readOptional(place);
  const mode = host.stat(place)?.mode ?? 0;
  const state =
    text === null
      ? 'missing'
      : !text.includes(MARK)
        ? 'foreign'
        : (mode & 0o100) === 0
          ? 'not executable'
          : bundle !== null && text !== hookText(bundle, node).trimEnd()
            ? 'stale'
            : 'installed';
  return {
    place,
    state,
    daemon:
      daemon === null
        ? null
        : { name: daemon.name, version: daemon.version?.join('.') ?? null, running: daemon.pid !== null },
    seen: daemon?.startedAt == null || state === 'missing' ? null : wasSeen(host, daemon.startedAt),
    hints: hintsOf(host),
  };
}

/** The bundle with the node that was found written into its head, so that a hook's bare PATH does not matter. */
function hookText(bundle: string, node: string): string {
  if (!NODE_LINE.test(bundle))
    throw new HostError('Cannot install the hook: the bundle has no line for its node');
  return bundle.replace(NODE_LINE, () => `node='${node.replaceAll("'", "'\\''")}'`);
}

/** A daemon that started without any hook looks for none until it is reloaded (SIGHUP); one that had some reads the folder anew each time. */
async function reload(host: Host, name: string, pid: number): Promise<void> {
  const argv = host.exists('/run/systemd/system')
    ? ['systemctl', 'reload', name]
    : ['kill', '-HUP', String(pid)];
  const { status, stderr } = await host.run(argv, { timeoutMs: 20_000 });
  if (status !== 0) {
    throw new HostError(`Cannot reload ${name}: ${stderr.trim() || `it answered ${status}`}`, {
      hint: `The hook is installed; run systemctl reload ${name} so that it is seen`,
    });
  }
}

/** Whether some hook was there when the daemon started. */
function wasSeen(host: Host, startedAt: number): boolean | null {
  const files = [
    HOOK_PLACES[1],
    ...host.list(`${HOOKS_FOLDER}/qemu.d`).map((name) => `${HOOKS_FOLDER}/qemu.d/${name}`),
  ];
  const born = files.map((path) => host.stat(path)?.changedMs ?? null).filter((one) => one !== null);
  if (born.some((one) => one < startedAt)) return true;
  // It may have been reloaded since: that leaves no trace
  return null;
}

function hintsOf(host: Host): string[] {
  const hints: string[] = [];
  if (host.readOptional('/sys/fs/selinux/enforce') === '1') {
    hints.push('SELinux enforces: the hook needs setsebool -P virt_hooks_unconfined on (Fedora, RHEL)');
  }
  if (host.exists('/etc/apparmor.d/usr.sbin.libvirtd')) {
    hints.push(
      'AppArmor confines libvirtd: if the hook is denied (journalctl -k), allow it in /etc/apparmor.d/local/usr.sbin.libvirtd',
    );
  }
  return hints;
}
