import { runHookOperation } from '../hooks/operations.ts';
import { readGuest } from '../lib/apply/guest.ts';
import { reportTo } from '../lib/apply/report-to.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { readStandardInput } from '../lib/host/standard-input.ts';
import { LARGEST_DOMAIN_BYTES, parseHookCall } from '../lib/inputs/hook-call.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { showPlan } from './plan.ts';

/** `passqemu hook`: what dist/qemu runs, by hand; with --explain it prints the decision and changes nothing. */
export async function hook(line: CommandLine, globals: Globals): Promise<number> {
  const { host, configDir, stateDir, out } = globals;
  const call = parseHookCall(line.words);
  const readXml = () => readStandardInput(LARGEST_DOMAIN_BYTES);
  if (!line.has('explain')) {
    const report = reportTo(host, call, { watch: () => {}, tell: (text) => globals.err(`note: ${text}`) });
    await runHookOperation(host, call, readXml, { configDir, stateDir }, report, watchSignals());
    return 0;
  }
  if (call.operation !== 'prepare') {
    out(`${call.operation} of ${call.guest}: ${EFFECTS[call.operation] ?? 'nothing is done'}`);
    return 0;
  }
  const inputs = readGuest(host, configDir, call.guest, readXml);
  if (inputs === null) {
    out(`${call.guest} has no profile: nothing is done`);
    return 0;
  }
  return showPlan(inputs, globals);
}

const EFFECTS: Readonly<Record<string, string>> = {
  release: 'what its journal lists is given back',
  started:
    'a watcher puts the interrupts of its devices on the guest’s CPUs and QEMU’s own threads off them; the profile’s started command is run',
  reconnect: 'nothing changes hands; what others have changed since is told in the log',
  stopped: 'the profile’s stopped command is run',
};
