import type { Host } from '../host/host.ts';
import { RefusedError } from '../words/errors.ts';
import { readCurrentState } from './journal.ts';
import { takeLock } from './state-folder.ts';

/**
 * Calls `act` where no guest waits for libvirt's hook to give back what it holds, under the lock, so that none begins to meanwhile; a
 * RefusedError names those that do. With `force` it is called all the same. Answers the guests' names; a journal that cannot be read counts, by its path.
 */
export async function whileNoneNeedsHook(
  host: Host,
  stateDir: string,
  lockWaitMs: number,
  force: boolean,
  act: () => void,
): Promise<string[]> {
  // Where nothing was ever prepared, nothing is left behind either
  if (!host.exists(stateDir)) {
    act();
    return [];
  }
  try {
    await takeLock(host, stateDir, 'hooks uninstall', lockWaitMs, () => {});
    const { journals, unreadable } = readCurrentState(host, stateDir);
    const needing = [
      ...journals.filter(({ owner }) => owner.kind === 'libvirt').map(({ header }) => header.guest),
      ...unreadable.map(({ path }) => path),
    ];
    if (needing.length > 0 && !force) throw refusal(needing);
    act();
    return needing;
  } finally {
    host.unlock();
  }
}

function refusal(needing: readonly string[]): RefusedError {
  const [first] = needing;
  const what = needing.length === 1 ? `${first} holds` : `${needing.join(', ')} hold`;
  return new RefusedError(
    `Cannot uninstall the hook: ${what} devices or settings, which only the hook gives back when a guest ends`,
    [],
    'Shut the guest down first (passqemu recover, where it runs no more); with --force, give back by hand when it has ended (passqemu release)',
  );
}
