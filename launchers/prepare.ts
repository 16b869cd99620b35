import type { Owner } from '../lib/apply/journal-text.ts';
import { prepareInputs } from '../lib/apply/prepare-inputs.ts';
import type { Host } from '../lib/host/host.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { parseStartTicks } from '../lib/host/start-ticks.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readInputs, readRunInputs } from './inputs.ts';
import { watchingReport } from './watching-report.ts';

/** How long a person waits for another guest's operation. */
export const LOCK_WAIT_MS = 60_000;

/** `passqemu prepare <guest>`: takes what the plan lists; a later `virsh start` of the same guest adopts it. */
export async function prepare(line: CommandLine, globals: Globals): Promise<number> {
  if (line.has('rehearse')) return (await import('./rehearse.ts')).rehearse(line, globals);
  if (line.value('for') !== null)
    throw new UsageError('--for goes with --rehearse', 'passqemu prepare --help');
  const interrupted = watchSignals();
  // What a launcher runs is no libvirt guest: nothing of libvirt's is asked, or started by asking
  const inputs =
    line.value('owner') === null ? await readInputs(line, globals) : readRunInputs(line, globals).inputs;
  const { host, stateDir } = globals;
  const report = watchingReport(globals, inputs.guest, 'prepare');
  const terms = { stateDir, owner: readOwner(line, host), lockWaitMs: LOCK_WAIT_MS, interrupted };
  const done = await prepareInputs(host, inputs, terms, report);
  const what = done === 'adopted' ? 'was prepared already' : 'is prepared';
  if (globals.json) globals.out(JSON.stringify({ guest: inputs.guest, done }));
  else globals.out(`${inputs.guest} ${what}; passqemu release ${inputs.guest} gives everything back`);
  return 0;
}

/** Who will give it back: a person, or the process that --owner names (passqemu run, which has started us). */
function readOwner(line: CommandLine, host: Host): Owner {
  const given = line.value('owner');
  if (given === null) return { kind: 'person' };
  const startTicks = /^[1-9]\d{0,9}$/.test(given)
    ? parseStartTicks(host.readOptional(`/proc/${given}/stat`))
    : null;
  if (startTicks === null) throw new UsageError(`Cannot prepare for process ${given}: there is none`);
  return { kind: 'launcher', pid: Number(given), startTicks };
}
