import type { RunningStage } from './running.ts';

/** The word that stands where libvirt's hook has its operation: no libvirt says it. */
const WATCH = 'watch';

/** What the hook's head starts beside a guest that runs, and nobody waits for. */
export interface WatchCall {
  readonly guest: string;
  readonly stage: RunningStage;
}

/** Reads "GUEST watch started|reconnect"; null for every other call. */
export function parseWatchCall([guest = '', word, stage]: readonly string[]): WatchCall | null {
  if (guest === '' || word !== WATCH || (stage !== 'started' && stage !== 'reconnect')) return null;
  return { guest, stage };
}
