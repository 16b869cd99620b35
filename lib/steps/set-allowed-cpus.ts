import type { Host } from '../host/host.ts';
import { awaitEarlierCalls, setUnitCpus } from '../host/systemd-bus.ts';
import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';

/** A process 1 that is busy (booting, shutting down) may take its time. */
const TIME_LIMIT_MS = 25_000;
const NO_ANSWER = `systemd has not answered for ${TIME_LIMIT_MS} ms`;
const CALL = ['systemctl', 'set-property', '--runtime', '--'];

/** Asks systemd for AllowedCPUs of a unit until the next boot; no CPUs means that it is unset. It answers before the cgroup is written. */
export async function setAllowedCpus(host: Host, unit: string, cpus: CpuSet): Promise<void> {
  const why = await whyRefused(host, unit, cpus);
  if (why === null) return;
  throw new HostError(`Cannot set AllowedCPUs=${formatCpuList(cpus)} of ${unit}: ${why}`, {
    path: 'systemd',
  });
}

/** What systemd has against it, or null; by its socket, which costs no process, and where that does not serve by systemctl. */
async function whyRefused(host: Host, unit: string, cpus: CpuSet): Promise<string | null> {
  try {
    const answer = await setUnitCpus(host, unit, cpus, TIME_LIMIT_MS);
    return answer === 'done' ? null : firstLine(answer.error);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'ETIMEDOUT') return NO_ANSWER;
  }
  const argv = [...CALL, unit, `AllowedCPUs=${formatCpuList(cpus)}`];
  const { status, stderr, timedOut } = await host.run(argv, { timeoutMs: TIME_LIMIT_MS });
  if (status === 0) return null;
  return timedOut ? NO_ANSWER : firstLine(stderr) || 'systemctl failed';
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!.slice(0, 200);
}

/**
 * Waits for what a killed process of ours may have left behind, a systemctl or a call to systemd itself: it would change a unit
 * after we have looked. Only one process of ours acts at a time, so once none is left, none will come.
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
  try {
    await awaitEarlierCalls(host, TIME_LIMIT_MS);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // Where nobody can be asked in this way nobody has been
    if (error.code === 'ETIMEDOUT') throw new HostError(`Cannot tell what systemd will do: ${NO_ANSWER}`);
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
