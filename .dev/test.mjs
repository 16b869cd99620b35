import { runCommand } from './command.mjs';
import { listRuns } from './lab-scenarios.mjs';
import { runScenarios } from './lab-suite.mjs';
import { findTests, runTests } from './node-tests.mjs';
import { ensureBuild, ensureChromium, ensureLab, ensureModules } from './setup.mjs';
import { checkShell } from './shell-check.mjs';
import { ExpectedError, formatSeconds, paint, runMain, say } from './step.mjs';

/**
 * `npm test`: sets up what is missing, then checks types, style and shell scripts, runs all tests and the short lab run.
 * `--no-lab` leaves out the lab, and says so last.
 */
await runMain(async (argv) => {
  const unknown = argv.find((word) => word !== '--no-lab');
  if (unknown !== undefined)
    throw new ExpectedError(`Cannot test: unknown word ${unknown} (npm test [-- --no-lab])`);
  const withLab = !argv.includes('--no-lab');
  const parts = [];
  const part = async (name, work) => {
    say(paint(1, `\n${name}`));
    const started = performance.now();
    const result = await work().catch((error) => {
      say(error instanceof ExpectedError ? error.message : error.stack);
      return { failed: 1 };
    });
    parts.push({
      name,
      passed: 0,
      failed: 0,
      skipped: 0,
      note: '',
      ...result,
      ms: performance.now() - started,
    });
  };

  await ensureModules();
  await part('build', async () => void (await ensureBuild()));
  await part('types (tsc)', () => check(['node_modules/.bin/tsc', '--noEmit']));
  await part('style (biome)', () => check(['node_modules/.bin/biome', 'check', '.']));
  await part('shell (shellcheck)', async () => {
    const checked = await checkShell();
    if (checked === null) return { note: 'skipped: shellcheck is not installed' };
    return { failed: checked.ok ? 0 : 1, note: `${checked.count} scripts` };
  });
  const tests = findTests('.');
  const isStructure = (file) => file.startsWith('test/structure/');
  const isPage = (file) => file.startsWith('test/page/');
  await part('unit tests', () => runTests(tests.filter((file) => !isStructure(file) && !isPage(file))));
  await part('structure and bundles', () => runTests(tests.filter(isStructure)));
  if (withLab) {
    await part('pages (Chromium)', async () => {
      if (await ensureChromium()) return runTests(tests.filter(isPage));
      return { note: 'skipped: Chromium is not installed' };
    });
    await part('short lab run', async () => {
      const runs = listRuns('short');
      if (runs.length === 0) throw new ExpectedError('Cannot run the lab: no scenario is in the short run');
      await ensureLab({ suites: [...new Set(runs.map(({ suite }) => suite))] });
      const { passed, failed } = await runScenarios(runs);
      return { passed, failed, note: `${runs.length} scenarios` };
    });
  }
  return sumUp(parts, withLab);
});

async function check(argv) {
  const { status } = await runCommand(argv, { show: true });
  return { failed: status === 0 ? 0 : 1 };
}

function sumUp(parts, withLab) {
  const passed = parts.reduce((sum, one) => sum + one.passed, 0);
  const failed = parts.reduce((sum, one) => sum + one.failed, 0);
  const ms = parts.reduce((sum, one) => sum + one.ms, 0);
  say('');
  for (const one of parts) {
    const state = one.failed > 0 ? paint(31, 'failed') : paint(32, 'ok    ');
    const counts = one.passed + one.failed > 0 ? `${one.passed} passed, ${one.failed} failed` : '';
    const aside = [counts, one.skipped > 0 ? `${one.skipped} skipped` : '', one.note]
      .filter(Boolean)
      .join('; ');
    say(`  ${state}  ${one.name.padEnd(24)}${formatSeconds(one.ms).padStart(11)}  ${aside}`.trimEnd());
  }
  say(`  ${' '.repeat(8)}${'all'.padEnd(24)}${formatSeconds(ms).padStart(11)}\n`);
  say(`${passed} passed, ${failed} failed`);
  if (!withLab)
    say('The lab was not run (--no-lab): nothing of this was tried on a real kernel, no page was looked at');
  return failed === 0 ? 0 : 1;
}
