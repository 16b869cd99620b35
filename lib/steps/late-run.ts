import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';

/** A program of an earlier process of ours may need so long to end. */
const TIME_LIMIT_MS = 25_000;

/**
 * Waits for a program with exactly these words that a killed process of ours may have left behind: it would change the host
 * after we have looked. Only one process of ours acts at a time, so once none is left, none will come.
 */
export async function awaitLateRun(
  host: Host,
  argv: readonly string[],
  patienceMs = TIME_LIMIT_MS,
): Promise<void> {
  const until = host.now() + patienceMs;
  for (let late = findRun(host, argv); late !== undefined; late = findRun(host, argv)) {
    if (host.now() >= until) {
      throw new HostError(`Cannot go on: ${argv[0]} of an earlier run (process ${late}) has not ended`, {
        code: 'EBUSY',
      });
    }
    await host.sleep(20);
  }
}

function findRun(host: Host, [program = '', ...rest]: readonly string[]): string | undefined {
  const tail = `/${rest.join('\0')}`.slice(1);
  return host.list('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [found = '', ...words] = host.readOptional(`/proc/${name}/cmdline`)?.split('\0') ?? [];
    return found.slice(found.lastIndexOf('/') + 1) === program && words.join('\0') === tail;
  });
}
