import type { Host } from './host.ts';

/** What is mounted where, for looking up by device number, and by source for file systems with numbers of their own (btrfs). */
export interface Mounts {
  readonly byDevice: ReadonlyMap<string, string>;
  readonly bySource: ReadonlyMap<string, string>;
}

/** Reads the mounts that this process sees. */
export function readMounts(host: Host): Mounts {
  return parseMountInfo(host.readOptional('/proc/self/mountinfo') ?? '');
}

/**
 * Reads mountinfo (proc(5)): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw". Of several mounts
 * of one device the first of its whole tree is kept, else the first.
 */
export function parseMountInfo(text: string): Mounts {
  const byDevice = new Map<string, string>();
  const bySource = new Map<string, string>();
  const whole = new Set<string>();
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6);
    const [, , device, root, point] = fields;
    if (dash === -1 || device === undefined || root === undefined || point === undefined) continue;
    const place = unescapeMount(point);
    if (!byDevice.has(device) || (root === '/' && !whole.has(device))) byDevice.set(device, place);
    if (root === '/') whole.add(device);
    const source = unescapeMount(fields[dash + 2] ?? '');
    if (source.startsWith('/') && !bySource.has(source)) bySource.set(source, place);
  }
  return { byDevice, bySource };
}

/** Space, tab, newline and backslash are written as three octal digits in mountinfo and in /proc/swaps. */
export function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
