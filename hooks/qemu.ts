import { reportTo } from '../lib/apply/report-to.ts';
import { RealHost } from '../lib/host/real-host.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { readStandardInput } from '../lib/host/standard-input.ts';
import { SystemLog } from '../lib/host/system-log.ts';
import { LARGEST_DOMAIN_BYTES } from '../lib/inputs/domain-xml.ts';
import { parseHookCall } from '../lib/inputs/hook-call.ts';
import { PassqemuError } from '../lib/words/errors.ts';
import { formatErrorLine } from '../lib/words/one-line.ts';
import { runHookOperation } from './operations.ts';

/**
 * What libvirt runs as /etc/libvirt/hooks/qemu: argv is guest, operation, sub-operation, extra; the domain XML is on
 * standard input; standard output stays empty, because libvirt takes it for XML in some operations. Only a failing
 * `prepare` is worth an exit status: a failing `started` or `reconnect` would kill the guest.
 */
async function main(): Promise<number> {
  const interrupted = watchSignals();
  const log = new SystemLog();
  const host = new RealHost('/', (priority, line) => log.add(priority, line));
  const call = parseHookCall(process.argv.slice(2));
  const report = reportTo(host, call, { watch: () => {}, tell: () => {} });
  const folders = { configDir: '/etc/passqemu', stateDir: '/run/passqemu' };
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

main().then((status) => process.exit(status));
