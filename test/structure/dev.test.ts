import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { root } from './source-files.ts';

// A tool that counts tests must not count wrongly
const dev = (name: string) => import(join(root, '.dev', name));
const { judgeOutput } = await dev('judge-output.mjs');
const { chooseRuns } = await dev('lab-scenarios.mjs');

const OUTPUTS: readonly [number, string, number, number, string][] = [
  [0, 'ok 1 - a\nok 2 - b\n', 2, 0, ''],
  [0, 'noise\nok\n1..1\n', 1, 0, ''],
  [0, '', 0, 1, 'it checked nothing'],
  [0, 'okay\nbook\n', 0, 1, 'it checked nothing'],
  [0, 'ok 1\nnot ok 2\n', 1, 1, '1 not ok'],
  [1, 'ok 1\nnot ok 2\nnot ok 3\n', 1, 2, '2 not ok, status 1'],
  [125, 'ok 1\n', 1, 1, 'status 125'],
  [0, '1..3\nok 1\nok 2\n', 2, 1, '2 of 3 checks'],
];
for (const [status, output, passed, failed, why] of OUTPUTS) {
  test(`judgeOutput() of ${JSON.stringify(output)} with status ${status}`, () => {
    assert.deepEqual(judgeOutput(status, output), { passed, failed, why });
  });
}

const SCENARIOS = new Map([
  ['lib.sh', '# is sourced\n'],
  ['a.sh', '#!/bin/bash\n# lab: in=short tier=mid,full suite=bookworm,trixie timeout=60\n'],
  ['b.sh', '#!/bin/bash\n# lab: in=full iommu=amd sriov -- 5 x\n# lab: in=soak tier=full -- 100\n'],
]);

function runsOf(wanted: string, texts: ReadonlyMap<string, string> = SCENARIOS): string[] {
  return chooseRuns(wanted, texts).map(({ argv }: { argv: string[] }) => argv.join(' '));
}

test('chooseRuns() takes the first combination for the short run and the others for the full one', () => {
  const a = (tier: string, suite: string) =>
    `--tier=${tier} --suite=${suite} --iommu=intel --timeout=60 test/lab/scenarios/a.sh`;
  const b = '--tier=mid --suite=bookworm --iommu=amd --sriov test/lab/scenarios/b.sh 5 x';
  assert.deepEqual(runsOf('short'), [a('mid', 'bookworm')]);
  assert.deepEqual(runsOf('full'), [a('full', 'bookworm'), a('mid', 'trixie'), a('full', 'trixie'), b]);
  assert.deepEqual(runsOf('soak'), [
    '--tier=full --suite=bookworm --iommu=intel test/lab/scenarios/b.sh 100',
  ]);
});

test('chooseRuns() refuses a scenario without a line, and a line that it does not understand', () => {
  const refuse = (text: string) => () => runsOf('short', new Map([['c.sh', `#!/bin/bash\n${text}\n`]]));
  assert.throws(refuse(''), /no line begins with "# lab:"/);
  assert.throws(refuse('# lab: tier=mid'), /lacks in=/);
  assert.throws(refuse('# lab: in=sometimes'), /unknown word "in=sometimes"/);
  assert.throws(refuse('# lab: in=short colour=red'), /unknown word "colour=red"/);
});

const TEST_FILES: readonly [string, string, object][] = [
  [
    'some of each',
    `test('a', () => {}); test('b', () => { throw new Error('planted'); }); test('c', { skip: true }, () => {});`,
    { passed: 1, failed: 1, skipped: 1 },
  ],
  ['a file that breaks off', `throw new Error('planted');`, { passed: 0, failed: 1, skipped: 0 }],
  ['a test that never ends', `test('a', () => new Promise(() => {}));`, { passed: 0, failed: 1, skipped: 0 }],
  [
    'subtests',
    `test('a', async (t) => { await t.test('b', () => {}); });`,
    { passed: 2, failed: 0, skipped: 0 },
  ],
];
for (const [what, code, counts] of TEST_FILES) {
  test(`the test reporter counts ${what}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'passqemu-reporter-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [file, result] = [join(folder, 'planted.test.mjs'), join(folder, 'counts.json')];
    writeFileSync(file, `import test from 'node:test';\n${code}\n`);
    const reporter = `--test-reporter=${join(root, '.dev', 'test-reporter.mjs')}`;
    // Inside a test, node would refuse to run tests
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, PASSQEMU_TEST_COUNTS: result };
    const { stdout } = spawnSync(process.execPath, ['--test', reporter, file], { env, encoding: 'utf8' });
    assert.deepEqual(JSON.parse(readFileSync(result, 'utf8')), counts, stdout);
    assert.equal(stdout.includes('✗'), 'failed' in counts && counts.failed === 1);
  });
}
