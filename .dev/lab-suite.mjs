import { cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { runCommand, TYPESCRIPT } from './command.mjs';
import { judgeOutput } from './judge-output.mjs';
import { listRuns } from './lab-scenarios.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { ExpectedError, formatSeconds, paint, runMain, say } from './step.mjs';

/** How much of a failed scenario's output is shown. */
const TAIL_LINES = 60;

/** A lab machine is one emulating thread: two of them fill a small host, and more would only wait for each other. */
const AT_ONCE = Math.min(2, cpus().length);

/**
 * Runs lab scenarios, two at a time, says how each went, and counts their "ok" and "not ok" lines: { passed, failed, results }.
 * Nothing is tried twice.
 */
export async function runScenarios(runs) {
  const total = { passed: 0, failed: 0, results: [] };
  const waiting = [...runs.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const result = await runScenario(next[1], `[${next[0] + 1}/${runs.length}]`);
      total.passed += result.passed;
      total.failed += result.failed;
      total.results.push(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return total;
}

async function runScenario(run, place) {
  const title = `${run.name} (${run.suite}, ${run.tier})`;
  say(paint(2, `${place} ${title} …`));
  const started = performance.now();
  const command = [process.execPath, ...TYPESCRIPT, 'test/lab/lab.ts', '--quiet', ...run.argv];
  const { status, output } = await runCommand(command);
  const { passed, failed, why } = judgeOutput(status, output);
  const ms = performance.now() - started;
  const took = formatSeconds(ms);
  if (failed === 0) {
    say(`${paint(32, 'ok')}     ${title}: ${passed} checks, ${took}`);
  } else {
    say(`${paint(31, 'failed')} ${title}: ${why}, ${took}; the end of its output:`);
    say(output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n').replace(/^/gm, '    '));
  }
  return { ...run, passed, failed, ms };
}

/** `node .dev/lab-suite.mjs short|full|soak [part of a name …]`, `--list` to see only what would be run. */
async function main(argv) {
  const [wanted = 'full', ...filters] = argv.filter((word) => word !== '--list');
  if (!['short', 'full', 'soak'].includes(wanted))
    throw new ExpectedError('Usage: node .dev/lab-suite.mjs short|full|soak [--list] [NAME …]');
  const runs = listRuns(wanted).filter(
    ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
  );
  if (argv.includes('--list')) {
    for (const { argv } of runs) say(argv.join(' '));
    return 0;
  }
  if (runs.length === 0) throw new ExpectedError(`Cannot run the lab: no scenario is for ${argv.join(' ')}`);
  await ensureModules();
  await ensureBuild();
  await ensureLab({ suites: [...new Set(runs.map(({ suite }) => suite))] });
  const { passed, failed } = await runScenarios(runs);
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await runMain(main);
