import { pathToFileURL } from 'node:url';
import { runCommand, TYPESCRIPT } from './command.mjs';
import { listRuns } from './lab-scenarios.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { ExpectedError, formatSeconds, paint, runMain, say } from './step.mjs';

/** How much of a failed scenario's output is shown. */
const TAIL_LINES = 60;

/**
 * Runs lab scenarios one after the other (each machine has more processors than the host: two at a time are no faster), says
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
    const { passed, failed, why } = judge(status, output);
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

/** A scenario is good when it ended with 0, said "ok" at least once, never "not ok", and as often as its plan line promised. */
function judge(status, output) {
  const passed = count(output, /^ok\b/gm);
  const refused = count(output, /^not ok\b/gm);
  const planned = /^1\.\.(\d+)$/m.exec(output)?.[1];
  const faults = [
    ...(refused > 0 ? [`${refused} not ok`] : []),
    ...(status !== 0 ? [`status ${status}`] : []),
    ...(passed + refused === 0 ? ['it checked nothing'] : []),
    ...(planned !== undefined && Number(planned) !== passed + refused
      ? [`${passed + refused} of ${planned} checks`]
      : []),
  ];
  return { passed, failed: faults.length === 0 ? 0 : Math.max(1, refused), why: faults.join(', ') };
}

function count(text, pattern) {
  return text.match(pattern)?.length ?? 0;
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
