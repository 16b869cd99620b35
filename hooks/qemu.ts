import { reportTo } from '../lib/apply/report-to.ts';
import { RealHost } from '../lib/host/real-host.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { readStandardInput } from '../lib/host/standard-input.ts';
import { SystemLog } from '../lib/host/system-log.ts';
import { LARGEST_DOMAIN_BYTES, parseHookCall } from '../lib/inputs/hook-call.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import { formatErrorLine } from '../lib/words/one-line.ts';
import { beginToLock } from './begin-to-lock.ts';
import { parseWatchCall, type WatchCall } from './watch-call.ts';

const FOLDERS = { configDir: '/etc/passqemu', stateDir: '/run/passqemu' };

/**
 * What libvirt runs as /etc/libvirt/hooks/qemu: argv is guest, operation, sub-operation, extra; the domain XML is on
 * standard input; standard output stays empty, because libvirt takes it for XML in some operations. Only a failing
 * `prepare` is worth an exit status: a failing `started` or `reconnect` would kill the guest.
 */
async function main(): Promise<number> {
  const watchCall = parseWatchCall(process.argv.slice(2));
  if (watchCall !== null) return watch(watchCall);
  const interrupted = watchSignals();
  const log = new SystemLog();
  const host = new RealHost('/', (priority, line) => log.add(priority, line));
  const call = parseHookCall(process.argv.slice(2));
  // Node ends without a word where it has nothing to wait for any more: libvirt must not take that for a success
  if (call.operation === 'prepare') process.exitCode = 1;
  const report = reportTo(host, call, { watch: () => {}, tell: () => {} });
  try {
    beginToLock(host, call, FOLDERS.stateDir, report.note);
    const { runHookOperation } = await import('./operations.ts');
    await runHookOperation(host, call, readXml, FOLDERS, report, interrupted);
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

/** What the head starts and nobody waits for. Its log is opened for each line, because the system's may be restarted meanwhile. */
async function watch(call: WatchCall): Promise<number> {
  let told = Promise.resolve();
  const host = new RealHost('/', (priority, line) => {
    const log = new SystemLog();
    log.add(priority, line);
    const before = told;
    told = log.flush().then(() => before);
  });
  const { watchRunning } = await import('./watch.ts');
  try {
    await watchRunning(host, call, readXml, FOLDERS);
  } catch (error) {
    host.log('error', `${call.guest} watch: ${formatErrorLine(error)}`);
    if (!(error instanceof PassqemuError)) host.log('error', String((error as Error).stack));
  }
  await told;
  return 0;
}

function readXml(): string {
  return readStandardInput(LARGEST_DOMAIN_BYTES);
}

main().then((status) => process.exit(status));
