import type { Host } from '../lib/host/host.ts';

/** The last line of an operation that went well, in the log: how long libvirt waited. */
export function tellEnd(
  host: Host,
  { guest, operation }: { guest: string; operation: string },
  words: string,
  begun: number,
): void {
  host.log('info', `${guest} ${operation}: ${words} (${host.now() - begun} ms in all)`);
}
