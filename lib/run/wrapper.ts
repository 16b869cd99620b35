import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import type { RealtimeWish } from './threads.ts';

/** What QEMU runs in. */
export interface WrapperInput {
  readonly guest: string;
  /** A scope of systemd's below machine.slice, a cgroup by its path, or where the caller is. */
  readonly place: { readonly by: 'scope' } | { readonly by: 'cgroup'; readonly cgroup: string } | null;
  /** RLIMIT_MEMLOCK for a QEMU that gives up root but has memory pinned for devices, in KiB. */
  readonly memlockKib: number | null;
  /** QEMU and what it starts can gain no privileges by execve(2). */
  readonly noNewPrivileges: boolean;
  /** Where all of the process begins, and the guides' simple form: all of it in real time. */
  readonly whole: { readonly realtime: RealtimeWish | null; readonly cpus: CpuSet | null };
}

/** What systemd calls the scope of a guest. */
export function scopeName(guest: string): string {
  return `passqemu-${escapeUnit(guest)}.scope`;
}

/**
 * The words before QEMU's own: each program carries out the next one (execve(2)), so the process number stays the same from the first
 * to QEMU, and the line works when pasted. A scope below machine.slice, because the slices of the host are kept off the guest's CPUs.
 */
export function planWrapper({ guest, place, memlockKib, noNewPrivileges, whole }: WrapperInput): string[] {
  const words: string[] = [];
  if (place?.by === 'scope') {
    words.push('systemd-run', '--scope', '--quiet', '--collect', '--slice=machine.slice');
    words.push(`--unit=${scopeName(guest)}`, '--');
  }
  // 0 is the writer itself (cgroups(7), cgroup.procs)
  if (place?.by === 'cgroup') {
    words.push('sh', '-c', 'echo 0 >"$0"/cgroup.procs && exec "$@"', `/sys/fs/cgroup/${place.cgroup}`);
  }
  if (memlockKib !== null) words.push('prlimit', `--memlock=${memlockKib * 1024}:${memlockKib * 1024}`, '--');
  if (noNewPrivileges) words.push('setpriv', '--no-new-privs', '--');
  const { realtime, cpus } = whole;
  if (realtime !== null) words.push('chrt', `--${realtime.policy}`, `${realtime.priority}`);
  if (cpus !== null) words.push('taskset', '--cpu-list', formatCpuList(cpus));
  return words;
}

/** A name as part of a unit's (systemd.unit(5), "String Escaping for Inclusion in Unit Names"). */
export function escapeUnit(name: string): string {
  return [...Buffer.from(name)]
    .map((byte, index) => {
      const sign = String.fromCharCode(byte);
      const isPlain = /[A-Za-z0-9:_]/.test(sign) || (sign === '.' && index > 0);
      return isPlain ? sign : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
