import type { Host } from './host.ts';

/** The present value of a setting below /proc/sys or /sys; null where this kernel does not have it. */
export function readSetting(host: Host, path: string): string | null {
  const text = host.readOptional(path);
  return text === null ? null : parseSetting(text);
}

/** The value that a setting's file shows: the bracketed word where the file lists all choices ("always [madvise] never"). */
export function parseSetting(text: string): string {
  return /(?:^|\s)\[([^\][]+)\](?:\s|$)/.exec(text)?.[1] ?? text.trim();
}
