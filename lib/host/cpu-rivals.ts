import { CGROUPS } from './cgroups.ts';
import type { Host } from './host.ts';

/** A service that changes the same things as we do, and goes on doing so. */
export type CpuRival = 'irqbalance' | 'tuned' | 'power-profiles-daemon' | 'tlp' | 'auto-cpufreq';

const SERVICES: readonly CpuRival[] = ['irqbalance', 'tuned', 'power-profiles-daemon', 'auto-cpufreq'];

/** Which of them run: by their cgroup under systemd, else by what they keep in /run (TLP has no process: it leaves files). */
export function readCpuRivals(host: Host): CpuRival[] {
  const running = new Set<CpuRival>(
    SERVICES.filter((name) => host.exists(`${CGROUPS}/system.slice/${name}.service`)),
  );
  if (host.list('/run/irqbalance').some((name) => name.endsWith('.sock'))) running.add('irqbalance');
  if (host.exists('/run/irqbalance.pid')) running.add('irqbalance');
  if (host.exists('/run/tuned/tuned.pid')) running.add('tuned');
  if (host.list('/run/tlp').length > 0) running.add('tlp');
  return [...running];
}
