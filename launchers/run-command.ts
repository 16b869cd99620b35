import { profilePlace } from '../lib/apply/profile-place.ts';
import { isSystemd } from '../lib/host/systemd.ts';
import { STOP_TIMES } from '../lib/run/life.ts';
import type { WrapperInput } from '../lib/run/wrapper.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { launchStateDir } from './launched.ts';
import { type PlannedRun, readPlannedRun } from './run-planned.ts';

/** `passqemu run <guest>`: prepare, QEMU, release; with --dry-run what would be taken and how QEMU would be started. */
export async function run(line: CommandLine, globals: Globals): Promise<number> {
  const planned = await readPlannedRun(line, globals);
  const stateDir = launchStateDir(globals);
  if (line.has('dry-run') || line.has('print-command')) {
    const { printedArgv } = await import('../lib/run/launch-of.ts');
    const words = printedArgv(planned.run, { stateDir, place: plannedPlace(planned, globals) });
    return (await import('./dry-run.ts')).showRun(planned, words, stateDir, globals);
  }
  return (await import('./run-whole.ts')).runWhole(
    {
      plan: planned.run,
      inputs: planned.inputs,
      profile: profilePlace(globals.configDir, line.words[0] ?? '').path,
      needsPrepare: planned.prepare.steps.length > 0,
      stateDir,
      times: { ...STOP_TIMES, stopMs: planned.whole.run.machine.stopTimeout * 1000 },
    },
    globals,
  );
}

/** Where QEMU will run, as far as the plan tells. */
function plannedPlace({ prepare }: PlannedRun, { host }: Globals): WrapperInput['place'] {
  if (process.getuid?.() !== 0) return null;
  if (isSystemd(host)) return { by: 'scope' };
  const step = prepare.steps.find((one) => one.kind === 'partition');
  return step?.kind === 'partition' ? { by: 'cgroup', cgroup: step.cgroup } : null;
}
