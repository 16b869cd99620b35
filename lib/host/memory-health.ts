import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { lookFor } from './look.ts';
import { parseMeminfo } from './memory.ts';
import { readSetting } from './settings.ts';

/** Memory beside the page pools (`MemoryPicture`). */
export interface MemoryHealth {
  readonly totalKib: Seen<number>;
  readonly freeKib: number;
  /** Free memory that lies in pieces of at least 2 MiB, from /proc/buddyinfo. */
  readonly freeIn2MibKib: Seen<number>;
  readonly transparentHugepages: string | null;
  readonly ksm: string | null;
  /** The soft limit of this process in KiB; null is none. */
  readonly memlockKib: Seen<number | null>;
  /** The largest that ZFS lets its cache grow, in bytes; 0 is its own choice. Null where ZFS is not loaded. */
  readonly zfsCacheLimit: number | null;
}

/** Reads it. */
export function readMemoryHealth(host: Host): MemoryHealth {
  const meminfo = lookFor(host, '/proc/meminfo');
  const values = parseMeminfo('unseen' in meminfo ? '' : meminfo.value);
  const buddies = lookFor(host, '/proc/buddyinfo');
  const limits = lookFor(host, '/proc/self/limits');
  const total = values.get('MemTotal');
  const arc = host.readOptional('/sys/module/zfs/parameters/zfs_arc_max');
  return {
    totalKib:
      'unseen' in meminfo
        ? meminfo
        : total === undefined
          ? { unseen: '/proc/meminfo has no MemTotal' }
          : { value: total },
    freeKib: values.get('MemFree') ?? 0,
    freeIn2MibKib: 'unseen' in buddies ? buddies : { value: parseBuddies(buddies.value) },
    transparentHugepages: readSetting(host, '/sys/kernel/mm/transparent_hugepage/enabled'),
    ksm: readSetting(host, '/sys/kernel/mm/ksm/run'),
    memlockKib: 'unseen' in limits ? limits : parseMemlock(limits.value),
    zfsCacheLimit: arc !== null && /^\d{1,15}$/.test(arc) ? Number(arc) : null,
  };
}

/** Adds up the blocks of 2 MiB and more: column n holds how many of 4 KiB · 2^n are free (Documentation/filesystems/proc.rst). */
export function parseBuddies(text: string): number {
  let kib = 0;
  for (const line of text.split('\n')) {
    const match = /^Node\s+\d+, zone\s+\S+\s+([\d\s]+)$/.exec(line);
    const counts = match?.[1]?.trim().split(/\s+/).map(Number) ?? [];
    for (let order = 9; order < counts.length; order++) kib += counts[order]! * 4 * 2 ** order;
  }
  return kib;
}

/** Reads /proc/self/limits: "Max locked memory  8388608  8388608  bytes". */
export function parseMemlock(text: string): Seen<number | null> {
  const match = /^Max locked memory\s+(\d{1,20}|unlimited)\s/m.exec(text);
  if (match === null) return { unseen: '/proc/self/limits has no line for locked memory' };
  return { value: match[1] === 'unlimited' ? null : Math.floor(Number(match[1]) / 1024) };
}
