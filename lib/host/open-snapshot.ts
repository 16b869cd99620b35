import { readCallerFile } from './caller-files.ts';
import type { Host } from './host.ts';
import { RecordedHost } from './recorded-host.ts';
import { LARGEST_ARCHIVE, unpackSnapshot } from './snapshot-archive.ts';

/** Opens a file that `passqemu snapshot` made, or one like it, as the machine that it was made on. */
export async function openSnapshot(path: string, here: Host, ours: readonly string[]): Promise<Host> {
  return new RecordedHost(
    path,
    await unpackSnapshot(path, readCallerFile(path, LARGEST_ARCHIVE)),
    here,
    ours,
  );
}
