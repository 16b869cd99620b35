import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { VERSION } from '../../lib/words/version.ts';
import { findForeignPackages, findLongFiles, findPrivatePaths, findPutOff } from './files.ts';
import { readSourceFiles, root, type SourceFiles } from './source-files.ts';

const code = readSourceFiles(['lib', 'hooks', 'launchers'], '.ts');
const everything: SourceFiles = new Map([
  ...readSourceFiles(['lib', 'hooks', 'launchers', 'test', 'docs', 'notes', '.dev', '.ci'], ''),
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'package.json', 'tsconfig.json', 'biome.json'].map(
    (name) => [name, read(name)] as const,
  ),
]);

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

test('no file is longer than 300 lines, the hook itself 80', () => {
  assert.deepEqual(
    findLongFiles(code, (path) => (path === 'hooks/qemu.ts' ? 80 : 300)),
    [],
  );
});

test('findLongFiles() finds the one that is a line too long', () => {
  const planted = new Map([
    ['a.ts', 'x\n'.repeat(3)],
    ['b.ts', 'x\n'.repeat(4)],
  ]);
  assert.deepEqual(
    findLongFiles(planted, () => 3),
    ['b.ts has 4 lines, at most 3 are allowed'],
  );
});

test('no file names a place on the machine it was written on', () => {
  assert.deepEqual(findPrivatePaths(everything, root), []);
});

test('findPrivatePaths() finds the checkout and its neighbours', () => {
  const planted = new Map([['a.md', 'see /data/me/checkout/lib\nand /data/me/other\nnot /tmp/data\n']]);
  assert.deepEqual(findPrivatePaths(planted, '/data/me/checkout'), [
    'a.md:1: see /data/me/checkout/lib',
    'a.md:2: and /data/me/other',
  ]);
  assert.deepEqual(findPrivatePaths(new Map([['a.md', '/tmp/other']]), '/tmp/checkout'), []);
});

test('nothing in the code is put off', () => {
  assert.deepEqual(findPutOff(code), []);
  assert.deepEqual(findPutOff(new Map([['a.ts', `x\n// ${'TO'}DO: y`]])), [`a.ts:2: // ${'TO'}DO: y`]);
});

test('the version is the same everywhere', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const lock = JSON.parse(read('package-lock.json')) as { version: string };
  assert.deepEqual([VERSION, lock.version], [version, version]);
});

test('packages come from the public registry', () => {
  assert.deepEqual(findForeignPackages(read('package-lock.json')), []);
  const lock = { packages: { '': {}, a: { resolved: 'https://mirror.example/a.tgz' } } };
  assert.deepEqual(findForeignPackages(JSON.stringify(lock)), ['https://mirror.example/a.tgz']);
});
