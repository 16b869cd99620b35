import { reportTo } from '../lib/apply/report-to.ts';
import { RealHost } from '../lib/host/real-host.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { readStandardInput } from '../lib/host/standard-input.ts';
import { SystemLog } from '../lib/host/system-log.ts';
import { LARGEST_DOMAIN_BYTES, parseHookCall } from '../lib/inputs/hook-call.ts';
import { parseWatchOrder, type WatchOrder } from '../lib/inputs/watch-order.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import { formatErrorLine } from '../lib/words/one-line.ts';
import { LOCK_WAIT_MS } from './hook-folders.ts';
import { runHookOperation } from './operations.ts';

const STATE_DIR = '/run/passqemu';
/** Until the last line is handed over. */
const LOG_MS = 100;

/**
 * What libvirt runs as /etc/libvirt/hooks/qemu: argv is guest, operation, sub-operation, extra; the domain XML is on
 * standard input; standard output stays empty, because libvirt takes it for XML in some operations. Only a failing
 * `prepare` is worth an exit status: a failing `started` or `reconnect` would kill the guest.
 */
async function main(): Promise<number> {
  const order = parseWatchOrder(process.argv.slice(2));
  if (order !== null) return watch(order);
  const interrupted = watchSignals();
  const log = new SystemLog();
  const host = new RealHost('/', (priority, line) => log.add(priority, line));
  const call = parseHookCall(process.argv.slice(2));
  const report = reportTo(host, call, { watch: () => {}, tell: () => {} });
  const watchProgram = [process.execPath, process.argv[1] ?? ''] as const;
  const folders = { configDir: '/etc/passqemu', stateDir: STATE_DIR, watchProgram };
  try {
    await runHookOperation(
      host,
      call,
      () => readStandardInput(LARGEST_DOMAIN_BYTES),
      folders,
      report,
      interrupted,
    );
    return 0;
  } catch (error) {
    const line = formatErrorLine(error);
    host.log('error', `${call.guest} ${call.operation}: ${line}`);
    if (!(error instanceof PassqemuError)) host.log('error', String((error as Error).stack));
    // A reader that has gone is no fault of ours
    process.stderr.on('error', () => {});
    process.stderr.write(`passqemu: ${line}\n`);
    return call.operation === 'prepare' ? 1 : 0;
  } finally {
    await log.flush();
  }
}

/** What `started` starts and nobody waits for. Its log is opened for each line, because the system's may be restarted meanwhile. */
async function watch(order: WatchOrder): Promise<number> {
  const host = new RealHost('/', (priority, line) => {
    const log = new SystemLog();
    log.add(priority, line);
    void log.flush();
  });
  const { watchGuest } = await import('../lib/apply/watcher.ts');
  const why = await watchGuest(host, STATE_DIR, order, LOCK_WAIT_MS);
  host.log('info', `${order.guest} watch: ended, ${why}`);
  await host.sleep(LOG_MS);
  return 0;
}

main().then((status) => process.exit(status));
