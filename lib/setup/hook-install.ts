import type { Host } from '../host/host.ts';
import { HOOK_MARK, SEEN_MARK } from '../host/libvirt-hooks.ts';
import { readProgramFault } from '../host/programs.ts';
import { HostError, RefusedError } from '../words/errors.ts';
import { hookHints } from './hook-hints.ts';
import { HOOK_PLACES, HOOKS_FOLDER, hookPlace, readDaemon } from './hook-place.ts';
import { makeDaemonLook, wasSeen } from './hook-seen.ts';

/** Where a bundle keeps what V8 has made of it (.dev/parts-loader.js). */
const CODE_FOLDER = '/var/cache/passqemu/code';
const NODE_LINE = /^node=.*$/m;

/** What `hooks status` says. */
export interface HookStatus {
  readonly place: string;
  /** "twice": one of ours lies in the other place as well, and would run a second time. */
  readonly state: 'installed' | 'missing' | 'stale' | 'not executable' | 'foreign' | 'twice';
  /** The node that runs it, as its head says. */
  readonly node: string | null;
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
  if (there !== null && !there.includes(HOOK_MARK)) {
    throw new RefusedError(
      `Cannot install the hook: ${place} is somebody else’s`,
      [],
      place === HOOK_PLACES[1]
        ? `Let it call ours at its end: /usr/local/lib/passqemu/qemu "$@" (standard input must reach both)`
        : 'Move it to another name in the same folder, then install again',
    );
  }
  const text = hookText(bundle, node);
  const isSame = there === text.trimEnd() && ((host.stat(place)?.mode ?? 0) & 0o777) === 0o755;
  if (!isSame) {
    host.makeFolder(place.slice(0, place.lastIndexOf('/')), 0o755);
    host.replaceFile(place, text, 0o755);
  }
  // Left by an older libvirt: it would run as well
  const doubles = oursIn(host).filter((other) => other !== place);
  for (const other of doubles) host.remove(other);
  if (daemon !== null && (!isSame || wasSeen(host, daemon) !== true)) await makeDaemonLook(host, daemon);
  return { status: await readHookStatus(host, bundle, node), written: !isSame || doubles.length > 0 };
}

/** Removes our hook from both places, and what it has kept; what is somebody else's stays. Answers what was removed. */
export function uninstallHook(host: Host): string[] {
  const removed = oursIn(host);
  for (const place of removed) host.remove(place);
  for (const name of host.list(CODE_FOLDER))
    if (name.startsWith('qemu.')) host.remove(`${CODE_FOLDER}/${name}`);
  host.remove(SEEN_MARK);
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
  const named = text === null ? null : nodeOf(text);
  const fault = named === null ? null : readProgramFault(host, named);
  const state =
    text === null
      ? 'missing'
      : !text.includes(HOOK_MARK)
        ? 'foreign'
        : (mode & 0o100) === 0
          ? 'not executable'
          : bundle !== null && text !== hookText(bundle, node).trimEnd()
            ? 'stale'
            : oursIn(host).length > 1
              ? 'twice'
              : 'installed';
  return {
    place,
    state,
    daemon:
      daemon === null
        ? null
        : { name: daemon.name, version: daemon.version?.join('.') ?? null, running: daemon.process !== null },
    node: named,
    seen: daemon === null || state === 'missing' ? null : wasSeen(host, daemon),
    hints: [
      ...(fault === null
        ? []
        : [`${named} cannot run the hook: ${fault}; install it again with another one`]),
      ...hookHints(host, place, daemon, named ?? node),
    ],
  };
}

/** The bundle with the node that was found written into its head, so that a hook's bare PATH does not matter. */
function hookText(bundle: string, node: string): string {
  if (!NODE_LINE.test(bundle))
    throw new HostError('Cannot install the hook: the bundle has no line for its node');
  return bundle.replace(NODE_LINE, () => `node='${node.replaceAll("'", "'\\''")}'`);
}

/** The node in the head of an installed hook. */
function nodeOf(text: string): string | null {
  return /^node='(\/[^'\n]{1,4000})'$/m.exec(text)?.[1] ?? null;
}

/** The places that hold a hook of ours. */
function oursIn(host: Host): string[] {
  return HOOK_PLACES.filter((place) => host.readOptional(place)?.includes(HOOK_MARK));
}
