import type { Host } from '../host/host.ts';

/** Waits for a claim to become true, looking at once and then at growing intervals (1 ms to 100 ms); false when the patience is over. */
export async function waitUntil(host: Host, patienceMs: number, holds: () => boolean): Promise<boolean> {
  const until = host.now() + patienceMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    if (holds()) return true;
    if (host.now() >= until) return false;
    await host.sleep(pauseMs);
  }
}
