import type { Host } from '../host/host.ts';
import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';

/** A process 1 that is busy (booting, shutting down) may take its time. */
const TIME_LIMIT_MS = 25_000;
const CALL = ['systemctl', 'set-property', '--runtime', '--'];

/** Asks systemd for AllowedCPUs of a unit until the next boot; no CPUs means that it is unset. It answers before the cgroup is written. */
export async function setAllowedCpus(host: Host, unit: string, cpus: CpuSet): Promise<void> {
  const list = formatCpuList(cpus);
  const result = await host.run([...CALL, unit, `AllowedCPUs=${list}`], { timeoutMs: TIME_LIMIT_MS });
  if (result.status === 0) return;
  const said = result.stderr.trim().split('\n')[0]?.slice(0, 200) ?? '';
  const why = result.timedOut
    ? `systemd has not answered for ${TIME_LIMIT_MS} ms`
    : said || 'systemctl failed';
  throw new HostError(`Cannot set AllowedCPUs=${list} of ${unit}: ${why}`, { path: 'systemctl' });
}

/**
 * Waits for the systemctl that a killed process of ours may have left behind: it would change a unit after we have looked. Only
 * one process of ours acts at a time, so once none is left, none will come.
 */
export async function awaitLateCalls(host: Host): Promise<void> {
  if (settled.has(host)) return;
  const until = host.now() + TIME_LIMIT_MS;
  for (let calls = lateCalls(host); calls.length > 0; calls = lateCalls(host)) {
    if (host.now() >= until) {
      throw new HostError(
        `Cannot tell what systemd will do: systemctl of an earlier run (process ${calls[0]}) has not ended`,
      );
    }
    await host.sleep(20);
  }
  settled.add(host);
}

const settled = new WeakSet<Host>();

function lateCalls(host: Host): string[] {
  return host
    .list('/proc')
    .filter((name) => /^\d+$/.test(name) && isOurCall(host.readOptional(`/proc/${name}/cmdline`) ?? ''));
}

function isOurCall(cmdline: string): boolean {
  const [program = '', ...rest] = cmdline.split('\0');
  return (
    program.endsWith('systemctl') &&
    CALL.slice(1).every((word, at) => rest[at] === word) &&
    rest[CALL.length]?.startsWith('AllowedCPUs=') === true
  );
}
