import type { Host } from './host.ts';
import { readProcesses } from './unit-cgroup.ts';

/** Which socket unit listens where below /run/user/UID: PulseAudio's socket is that of either server. */
const LISTENS: readonly (readonly [unit: string, path: string])[] = [
  ['pipewire.socket', 'pipewire-0'],
  ['pipewire-pulse.socket', 'pulse/native'],
  ['pulseaudio.socket', 'pulse/native'],
];

/**
 * The socket units that would start a user's audio servers again as soon as a program wants to play: those whose socket the
 * user's own manager listens on. Asking it would need a program; the kernel says it in /proc/net/unix and /proc/PID/fd (proc(5)).
 */
export function readAudioSockets(host: Host, uid: number, server: 'pipewire' | 'pulseaudio'): string[] {
  const folder = `/run/user/${uid}/`;
  const listening = new Map<string, string>();
  for (const line of (host.readOptional('/proc/net/unix') ?? '').split('\n')) {
    const [, , , flags, , , inode = '', path = ''] = line.trim().split(/\s+/);
    // SO_ACCEPTCON: somebody listens
    if (flags === '00010000' && path.startsWith(folder)) listening.set(path.slice(folder.length), inode);
  }
  const mine = LISTENS.filter(([unit, path]) => unit.startsWith(server) && listening.has(path));
  if (mine.length === 0) return [];
  const open = new Set(
    readProcesses(host, `/user.slice/user-${uid}.slice/user@${uid}.service/init.scope`).flatMap((pid) =>
      host.list(`/proc/${pid}/fd`).map((fd) => host.linkName(`/proc/${pid}/fd/${fd}`)),
    ),
  );
  return mine.filter(([, path]) => open.has(`socket:[${listening.get(path)}]`)).map(([unit]) => unit);
}
