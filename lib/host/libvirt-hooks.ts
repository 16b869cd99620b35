import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';

/** One file that libvirt's daemon would run as a hook for QEMU guests (its docs/hooks.rst). */
export interface HookFile {
  readonly path: string;
  readonly isFolder: boolean;
  readonly executable: boolean;
  /** Written by us. */
  readonly ours: boolean;
  /** Ours: the node that it starts, and whether that is there. */
  readonly node: string | null;
  readonly nodeIsThere: boolean;
  readonly changedMs: number;
  /** Somebody else's that binds devices or stops the desktop itself. */
  readonly takesDevices: boolean;
}

/** By this every version of our hook is known again. */
export const HOOK_MARK = 'passqemu, hook for libvirt';
/** Which daemon we have told to look for hooks (process and start); dies with the boot, as the daemon does. */
export const SEEN_MARK = '/run/passqemu-hook-seen';
const FOLDER = '/etc/libvirt/hooks';
const HEAD_BYTES = 65_536;

/** The hooks that are there, `qemu` first, then those of qemu.d in the order in which they run. */
export function readHookFiles(host: Host, isRoot: boolean): Seen<readonly HookFile[]> {
  for (const folder of ['/etc/libvirt', FOLDER]) {
    const facts = host.stat(folder, 'follow');
    if (facts === null) return { value: [] };
    if (!isRoot && (facts.mode & 0o005) !== 0o005) return { unseen: `${folder} cannot be searched (EACCES)` };
  }
  return { value: listHooks(host) };
}

function listHooks(host: Host): readonly HookFile[] {
  const inFolder = host.list(`${FOLDER}/qemu.d`).map((name) => `${FOLDER}/qemu.d/${name}`);
  return [`${FOLDER}/qemu`, ...inFolder].flatMap((path) => {
    const facts = host.stat(path, 'follow');
    if (facts === null) return [];
    const text = facts.kind === 'file' ? readHead(host, path) : '';
    const ours = text.includes(HOOK_MARK);
    const node = ours ? (/^node='?([^'\n]+)'?$/m.exec(text)?.[1] ?? null) : null;
    return [
      {
        path,
        isFolder: facts.kind === 'folder',
        executable: (facts.mode & 0o100) !== 0,
        ours,
        node,
        nodeIsThere: node !== null && host.exists(node),
        changedMs: facts.changedMs,
        takesDevices:
          !ours &&
          /nodedev-detach|driver_override|vfio-pci\/(?:new_id|bind)|\/unbind\b|modprobe -r|rmmod/.test(text),
      },
    ];
  });
}

function readHead(host: Host, path: string): string {
  try {
    return host.readBytes(path, HEAD_BYTES).toString('utf8');
  } catch {
    return '';
  }
}
