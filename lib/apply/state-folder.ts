import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';

/** Makes the state folder, or sees that it is ours alone: what is in it decides what root writes. */
export function ensureStateFolder(host: Host, stateDir: string): void {
  host.makeFolder(stateDir, 0o755);
  const facts = host.stat(stateDir);
  if (facts === null || facts.kind !== 'folder' || (facts.mode & 0o022) !== 0) {
    throw new HostError(`Cannot use ${stateDir}: it must be a folder that only its owner may write`, {
      path: stateDir,
    });
  }
}

/** Takes the lock of the state folder, telling once for whom it waits. */
export async function takeLock(
  host: Host,
  stateDir: string,
  what: string,
  waitMs: number,
  note: (line: string) => void,
): Promise<void> {
  const { pid } = host.self();
  await host.lock(`${stateDir}/lock`, `${what} (process ${pid})\n`, waitMs, (holder) =>
    note(`Waiting for ${holder}, at most ${waitMs / 1000} s`),
  );
}
