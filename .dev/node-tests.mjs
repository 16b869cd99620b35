import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, runCommand, TYPESCRIPT } from './command.mjs';
import { ExpectedError } from './step.mjs';

/** Every test file below a folder of test/, as paths in the checkout. Node 20 expands no patterns itself. */
export function findTests(folder) {
  const top = join(root, 'test', folder);
  return readdirSync(top, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => relative(root, join(top, name)))
    .sort();
}

/** Runs test files, failures and all on the terminal, and counts: { passed, failed, skipped }. */
export async function runTests(files) {
  // Without names node would look for files by itself
  if (files.length === 0) throw new ExpectedError('Cannot test: there is no test file');
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-test-'));
  const counts = join(folder, 'counts.json');
  try {
    const reporter = `--test-reporter=${join(root, '.dev', 'test-reporter.mjs')}`;
    const concurrency = `--test-concurrency=${availableParallelism()}`;
    const argv = [
      process.execPath,
      ...TYPESCRIPT,
      '--test',
      concurrency,
      reporter,
      '--test-reporter-destination=stdout',
      ...files,
    ];
    const { status } = await runCommand(argv, { show: true, env: { PASSQEMU_TEST_COUNTS: counts } });
    const { passed, failed, skipped } = readCounts(counts);
    // A runner that fails without a failing test has lost one
    return { passed, skipped, failed: status !== 0 && failed === 0 ? 1 : failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
