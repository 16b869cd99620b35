import { reportTo } from '../lib/apply/report-to.ts';
import { watchGuest } from '../lib/apply/watcher.ts';
import type { Host } from '../lib/host/host.ts';
import { type HookFolders, LOCK_WAIT_MS } from './hook-folders.ts';
import { lookAtRunning } from './running.ts';
import type { WatchCall } from './watch-call.ts';

/** Looks what there is to watch of a guest that runs, and stays with it as its watcher; ends at once where there is nothing. */
export async function watchRunning(
  host: Host,
  { guest, stage }: WatchCall,
  readXml: () => string,
  folders: HookFolders,
): Promise<void> {
  const report = reportTo(host, { guest, operation: stage }, { watch: () => {}, tell: () => {} });
  const order = await lookAtRunning(host, stage, guest, readXml, folders, report);
  if (order === null) return;
  const why = await watchGuest(host, folders.stateDir, order, LOCK_WAIT_MS);
  host.log('info', `${guest} watch: ended, ${why}`);
}
