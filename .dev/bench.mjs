import { runCommand, TYPESCRIPT } from './command.mjs';
import { ensureBuild, ensureLab, ensureModules } from './setup.mjs';
import { ExpectedError, runMain } from './step.mjs';

/**
 * `npm run bench [-- --no-lab] [--write]`: sets up what is missing, then measures (test/bench). Exits 1 where a bound is missed;
 * `--write` puts the results into docs/performance.md.
 */
await runMain(async (argv) => {
  const unknown = argv.find((word) => !['--no-lab', '--write'].includes(word));
  if (unknown !== undefined)
    throw new ExpectedError(
      `Cannot measure: unknown word ${unknown} (npm run bench [-- --no-lab] [--write])`,
    );
  await ensureModules();
  await ensureBuild();
  if (!argv.includes('--no-lab')) await ensureLab({ suites: ['bookworm', 'trixie'] });
  const { status } = await runCommand([process.execPath, ...TYPESCRIPT, 'test/bench/bench.ts', ...argv], {
    show: true,
  });
  return status;
});
