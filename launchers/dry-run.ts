import { formatArgvWords } from '../lib/inputs/argv-words.ts';
import type { RunPlan } from '../lib/qemu/run-plan.ts';
import { formatGivingBack, formatPreparation } from '../lib/run/paste.ts';
import { describeStep } from '../lib/steps/registry.ts';
import type { Globals } from './globals.ts';
import type { PlannedRun } from './run-planned.ts';

/** Prints how a guest would be run: a line that works when pasted, one argument a line, or JSON with both plans. Changes nothing. */
export function showRun(
  { run, prepare }: PlannedRun,
  words: readonly string[],
  stateDir: string,
  globals: Globals,
): number {
  if (globals.json) {
    const steps = prepare.steps.map((step) => ({
      kind: step.kind,
      summary: describeStep(step),
      target: step.target,
      from: step.from,
      to: step.to,
    }));
    const { sidecars, descriptors, threads, sockets, user } = run;
    const notes = [...prepare.notes, ...run.notes];
    globals.out(
      JSON.stringify(
        {
          argv: words,
          prepare: { guest: run.guest, steps, refusals: [], notes },
          environment: run.environment,
          ...{ sidecars, descriptors, threads, sockets, user, files: run.prepare },
        },
        null,
        2,
      ),
    );
    return 0;
  }
  const about = { stateDir, needsPrepare: prepare.steps.length > 0 };
  const [before, after] = [formatPreparation(run, about), formatGivingBack(run, about)];
  globals.out([...before, formatCommand(run, words), ...after].join('\n'));
  if (!globals.quiet) for (const note of run.notes) globals.err(`note: ${note}`);
  return 0;
}

/** The command as a shell reads it, each argument on a line of its own. */
export function formatCommand({ environment, descriptors }: RunPlan, words: readonly string[]): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${formatArgvWords([value])}`);
  const opened = descriptors.map(
    ({ fd, path, access }) => `${fd}${access === 'read' ? '<' : '<>'}${formatArgvWords([path])}`,
  );
  return [...variables, ...words.map((word) => formatArgvWords([word])), ...opened].join(' \\\n  ');
}
