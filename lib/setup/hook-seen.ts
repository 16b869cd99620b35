import type { Host } from '../host/host.ts';
import { SEEN_MARK } from '../host/libvirt-hooks.ts';
import { HostError } from '../words/errors.ts';
import { type Daemon, HOOK_PLACES, HOOKS_FOLDER } from './hook-place.ts';

const TIME_LIMIT_MS = 20_000;

/**
 * A daemon that started without any hook looks for none until it is reloaded (SIGHUP); one that had some reads the folder anew
 * each time (virhook.c). Reloads it, and remembers that.
 */
export async function makeDaemonLook(host: Host, { name, process }: Daemon): Promise<void> {
  if (process === null) return;
  const kill = ['kill', '-HUP', String(process.pid)];
  const ways = host.exists('/run/systemd/system') ? [['systemctl', 'reload', name], kill] : [kill];
  let said = '';
  for (const argv of ways) {
    const { status, stderr } = await host.run(argv, { timeoutMs: TIME_LIMIT_MS });
    said = stderr.trim() || `it answered ${status}`;
    if (status !== 0) continue;
    host.replaceFile(SEEN_MARK, markOf(process), 0o644);
    return;
  }
  throw new HostError(`Cannot reload ${name}: ${said}`, {
    hint: `The hook is installed; run systemctl reload ${name} so that it is seen`,
  });
}

/** Whether the running daemon knows that there are hooks: we have told it, or some were there when it started. Null: not known, somebody else may have reloaded it. */
export function wasSeen(host: Host, { process, startedAt }: Daemon): boolean | null {
  if (process === null || startedAt === null) return null;
  if (host.readOptional(SEEN_MARK) === markOf(process).trimEnd()) return true;
  const files = [
    HOOK_PLACES[1],
    ...host.list(`${HOOKS_FOLDER}/qemu.d`).map((name) => `${HOOKS_FOLDER}/qemu.d/${name}`),
  ];
  const born = files.map((path) => host.stat(path)?.changedMs ?? null).filter((one) => one !== null);
  return born.some((one) => one < startedAt) ? true : null;
}

function markOf({ pid, startTicks }: NonNullable<Daemon['process']>): string {
  return `${pid} ${startTicks}\n`;
}
