import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { root } from './source-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'passqemu-recorded-'));
const snapshot = join(folder, 'here.tar.gz');
const PASSQEMU = join(root, 'dist', 'passqemu');

function run(...argv: readonly string[]) {
  const env = { PATH: process.env.PATH };
  const { status, stdout, stderr } = spawnSync(PASSQEMU, argv, {
    cwd: folder,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

before(() => {
  assert.equal(run('snapshot', snapshot).status, 0);
});
after(() => rmSync(folder, { recursive: true }));

for (const argv of [
  ['devices', '--json'],
  ['devices'],
  ['topology'],
  ['topology', '--svg', '-'],
  ['pin', '--json'],
]) {
  test(`dist/passqemu ${argv.join(' ')} says of the snapshot of this machine what it says of the machine`, () => {
    // Pages and their counts may change between two looks
    const steady = ({ stdout, ...rest }: ReturnType<typeof run>) => ({
      ...rest,
      stdout: stdout.replace(/"(?:free|memoryKiB)": \d+|\d+ pages of \S+ \w+ \(\d+ free\)/g, ''),
    });
    const [here, there] = [[], ['--sysroot', snapshot]].map((more) => steady(run(...argv, ...more)));
    if (isDeepStrictEqual(there, here)) return;
    // A guest that has started or ended since the snapshot is a difference, but none that stays
    assert.equal(run('snapshot', '--force', snapshot).status, 0);
    assert.deepEqual(steady(run(...argv, '--sysroot', snapshot)), steady(run(...argv)));
  });
}

test('dist/passqemu writes a snapshot over nothing unless it is told to', () => {
  const again = run('snapshot', snapshot);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /^passqemu: Cannot write \S+: EEXIST\n/);
  assert.equal(run('snapshot', '--force', snapshot).status, 0);
});

test('dist/passqemu takes options before the command too', () => {
  assert.deepEqual(run('--sysroot', snapshot, 'topology'), run('topology', '--sysroot', snapshot));
});

test('dist/passqemu says what is wrong with a path that it cannot write', () => {
  const { status, stderr } = run('snapshot', join(folder, 'nowhere', 'x.tar.gz'));
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^passqemu: Cannot write \S+: ENOENT\n {2}The folder that it is to be written to must be there\n$/,
  );
});

const BAD: readonly (readonly [string, () => string, RegExp])[] = [
  ['that is not there', () => join(folder, 'nowhere'), /there is no such folder or file/],
  [
    'that is a folder of something else',
    () => made('other/file', 'x', 'other'),
    /it has neither sys\/ nor proc\//,
  ],
  ['that is a text', () => made('text.tar.gz', 'hello'), /it is no tar\.gz/],
  ['that is cut', () => made('cut.tar.gz', readFileSync(snapshot).subarray(0, 3000)), /it is damaged or cut/],
  ['that is a packed text', () => made('packed.gz', gzipSync('x'.repeat(5000))), /it is damaged or cut/],
  ['that is a device', () => '/dev/null', /it is no file/],
];
for (const [what, path, message] of BAD) {
  test(`dist/passqemu complains in a line or two of a --sysroot ${what}`, () => {
    const { status, stdout, stderr } = run('devices', '--sysroot', path());
    assert.ok(status === 1 || status === 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.ok(stderr.trimEnd().split('\n').length <= 2 && !/ {4}at /.test(stderr), stderr);
  });
}

test('passqemu agrees with lscpu, lspci, lsusb and numactl about this machine', (t) => {
  const script = join(root, 'test', 'lab', 'scenarios', 'cross-check.mjs');
  const { status, stdout } = spawnSync(process.execPath, [script, PASSQEMU], { encoding: 'utf8' });
  for (const line of stdout.split('\n').filter((one) => one.startsWith('# '))) t.diagnostic(line.slice(2));
  assert.equal(status, 0, stdout);
});

function made(name: string, text: string | Uint8Array, result = name): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return join(folder, result);
}
