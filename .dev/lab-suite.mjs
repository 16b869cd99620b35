import { pathToFileURL } from 'node:url';
import { runCommand, TYPESCRIPT } from './command.mjs';
import { judgeOutput } from './judge-output.mjs';
import { listRuns } from './lab-scenarios.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { ExpectedError, formatSeconds, paint, runMain, say } from './step.mjs';

/** How much of a failed scenario's output is shown. */
const TAIL_LINES = 60;

/**
 * Runs lab scenarios one after the other (the eight processors of one machine keep a small host busy by themselves), says
 * how each went, and counts their "ok" and "not ok" lines: { passed, failed, results }. Nothing is tried twice.
 */
export async function runScenarios(runs) {
  const total = { passed: 0, failed: 0, results: [] };
  for (const [index, run] of runs.entries()) {
    const title = `${run.name} (${run.suite}, ${run.tier})`;
    say(paint(2, `[${index + 1}/${runs.length}] ${title} …`));
    const started = performance.now();
    const { status, output } = await runCommand([
      process.execPath,
      ...TYPESCRIPT,
      'test/lab/lab.ts',
      '--quiet',
      ...run.argv,
    ]);
    const { passed, failed, why } = judgeOutput(status, output);
    total.passed += passed;
    total.failed += failed;
    const ms = performance.now() - started;
    total.results.push({ ...run, passed, failed, ms });
    const took = formatSeconds(ms);
    if (failed === 0) {
      say(`${paint(32, 'ok')}     ${title}: ${passed} checks, ${took}`);
      continue;
    }
    say(`${paint(31, 'failed')} ${title}: ${why}, ${took}; the end of its output:`);
    say(output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n').replace(/^/gm, '    '));
  }
  return total;
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
