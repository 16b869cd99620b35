import { buildTools, ensureTools, runTools } from '../test/lab/build/tools.ts';
import { ensureImage } from '../test/lab/image.ts';
import { LabError, suites } from '../test/lab/words.ts';

/** Makes what the lab machines of the named suites are started from, so that the first run does not seem to hang. */
const say = (line: string): void => {
  process.stdout.write(`  ${line}\n`);
};
try {
  await ensureTools([...runTools, ...buildTools], say);
  for (const suite of suites) if (process.argv.includes(suite)) await ensureImage(suite, say);
} catch (error) {
  process.stderr.write(`${error instanceof LabError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
