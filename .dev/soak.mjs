import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from './command.mjs';
import { listRuns } from './lab-scenarios.mjs';
import { runScenarios } from './lab-suite.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { ExpectedError, formatSeconds, runMain, say } from './step.mjs';

/** `npm run soak [-- part of a name …]`: the long random runs in the lab; a whole run leaves its result in docs/soak.md. */
await runMain(async (filters) => {
  const isWanted = ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter));
  const runs = listRuns('soak').filter(isWanted);
  if (runs.length === 0) throw new ExpectedError('Cannot soak: no scenario is for it');
  await ensureModules();
  await ensureBuild();
  await ensureLab({ suites: [...new Set(runs.map(({ suite }) => suite))] });
  const started = performance.now();
  const { passed, failed, results } = await runScenarios(runs);
  if (filters.length === 0) keep(results, performance.now() - started);
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

function keep(results, ms) {
  const rows = results.map(
    ({ name, suite, tier, passed, failed, ms }) =>
      `| ${name} | ${suite} | ${tier} | ${passed} | ${failed} | ${formatSeconds(ms)} |`,
  );
  const text = `# The last soak

Written by \`npm run soak\` on ${new Date().toISOString().slice(0, 10)}, on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, in ${formatSeconds(ms)}.

| scenario | Debian | tier | checks passed | failed | time |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(join(root, 'docs', 'soak.md'), text);
  say('The result is in docs/soak.md');
}
