import type { Host } from '../host/host.ts';

/** A wait that is over by then is not worth a line. */
const UNTOLD_MS = 1000;

/**
 * Waits for a claim to become true, looking at once and then at growing intervals (1 ms to 100 ms); false when the patience is over.
 * `tell` is called once where it takes longer than a moment.
 */
export async function waitUntil(
  host: Host,
  patienceMs: number,
  holds: () => boolean,
  tell: () => void = () => {},
): Promise<boolean> {
  const begun = host.now();
  let isTold = false;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    if (holds()) return true;
    const waitedMs = host.now() - begun;
    if (waitedMs >= patienceMs) return false;
    if (!isTold && waitedMs >= UNTOLD_MS) {
      isTold = true;
      tell();
    }
    await host.sleep(pauseMs);
  }
}
