import { visible } from '../inputs/parsed.ts';
import type { DeviceNode } from './device-node.ts';
import type { Host } from './host.ts';

/** A process that has a device node open or mapped. */
export interface Holder {
  readonly pid: number;
  readonly comm: string;
  /** The systemd unit it runs in, or null. */
  readonly unit: string | null;
  /** The node, as `nodeKey` names it. */
  readonly key: string;
}

/** Who holds what, and how many processes could not be looked at (those of other users, for an ordinary user). */
export interface HolderScan {
  readonly holders: readonly Holder[];
  readonly unseen: number;
}

/** What makes a node that node: its type and number ("c226:0"). A block and a character device may have the same number. */
export function nodeKey(node: { readonly type: string; readonly rdev: string }): string {
  return `${node.type[0]}${node.rdev}`;
}

/**
 * Looks through all processes once for open descriptors and mappings of these nodes. By device number, not by path, so
 * that other mount namespaces count. See proc(5): /proc/PID/fd, /proc/PID/maps, /proc/PID/map_files.
 */
export function findHolders(host: Host, nodes: readonly DeviceNode[]): HolderScan {
  if (nodes.length === 0) return { holders: [], unseen: 0 };
  const wanted = new Set(nodes.map(nodeKey));
  // Reading the mappings costs more than all descriptors: only where programs map the device and may close it
  const mapped = nodes.some(({ path }) => /^\/dev\/(?:dri|snd|accel|nvidia|kfd|fb)/.test(path));
  const own = host.self().pid;
  const ownUser = host.stat('/proc/self', 'follow')?.uid ?? 0;
  const holders: Holder[] = [];
  let unseen = 0;
  for (const pid of host.list('/proc')) {
    if (!/^[1-9]\d*$/.test(pid) || Number(pid) === own) continue;
    const open = host.list(`/proc/${pid}/fd`);
    if (open.length === 0 && ownUser !== 0 && isHidden(host, pid, ownUser)) unseen++;
    const held = new Set<string>();
    for (const name of open) {
      const key = keyOf(host, `/proc/${pid}/fd/${name}`);
      if (key !== null && wanted.has(key)) held.add(key);
    }
    if (mapped && open.length > 0) {
      for (const key of mappedDevices(host, pid)) if (wanted.has(key)) held.add(key);
    }
    for (const key of held) {
      holders.push({ pid: Number(pid), comm: readComm(host, pid), unit: readUnit(host, pid), key });
    }
  }
  return { holders, unseen };
}

function keyOf(host: Host, path: string): string | null {
  const facts = host.stat(path, 'follow');
  return facts?.rdev == null ? null : nodeKey({ type: facts.kind, rdev: facts.rdev });
}

/** Device numbers that a process has mapped without necessarily still having them open. */
function mappedDevices(host: Host, pid: string): readonly string[] {
  const found: string[] = [];
  for (const line of (host.readOptional(`/proc/${pid}/maps`) ?? '').split('\n')) {
    const at = line.indexOf('/');
    // Memory of its own and ordinary libraries: nearly every line
    if (
      at === -1 ||
      !line.includes('/dev/', at) ||
      line.startsWith('/dev/shm/', at) ||
      line.startsWith('/dev/zero', at)
    )
      continue;
    const range = line
      .slice(0, line.indexOf(' '))
      .split('-')
      .map((part) => part.replace(/^0+(?=.)/, ''));
    const key =
      keyOf(host, `/proc/${pid}/map_files/${range.join('-')}`) ??
      keyOf(host, `/proc/${pid}/root${line.slice(at)}`);
    if (key !== null) found.push(key);
  }
  return found;
}

/** Whether a process without visible descriptors may have some: another user's, and no kernel thread (those have no command line). */
function isHidden(host: Host, pid: string, ownUser: number): boolean {
  const owner = host.stat(`/proc/${pid}`)?.uid;
  return owner !== undefined && owner !== ownUser && (host.readOptional(`/proc/${pid}/cmdline`) ?? '') !== '';
}

function readComm(host: Host, pid: string): string {
  // Any process may call itself anything
  return visible(host.readOptional(`/proc/${pid}/comm`) ?? '?');
}

/** The innermost unit of a process's cgroup: systemd's own hierarchy on v1, the only one on v2. */
function readUnit(host: Host, pid: string): string | null {
  const lines = (host.readOptional(`/proc/${pid}/cgroup`) ?? '').split('\n');
  const line =
    lines.find((one) => one.startsWith('0::')) ?? lines.find((one) => one.includes(':name=systemd:'));
  const parts = line?.split('/').filter((part) => /^[\w:@.\\-]+\.(?:service|scope)$/.test(part)) ?? [];
  return parts.at(-1) ?? null;
}
