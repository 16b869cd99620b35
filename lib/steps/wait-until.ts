import type { Host } from '../host/host.ts';

/** A wait that is over by then is not worth a line. */
const UNTOLD_MS = 1000;
/** No pause takes so long, but on a clock that is set. */
const CLOCK_SET_MS = 30_000;

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
  let isTold = false;
  let waitedMs = 0;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    if (holds()) return true;
    if (waitedMs >= patienceMs) return false;
    if (!isTold && waitedMs >= UNTOLD_MS) {
      isTold = true;
      tell();
    }
    const before = host.now();
    await host.sleep(pauseMs);
    // The clock may be set meanwhile, as it is when the network comes up
    const passedMs = host.now() - before;
    waitedMs += passedMs >= 0 && passedMs < CLOCK_SET_MS ? passedMs : pauseMs;
  }
}
