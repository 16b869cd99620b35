import assert from 'node:assert/strict';
import test from 'node:test';
import {
  findCircles,
  findImpurePlans,
  findReservedImports,
  findUpwardImports,
  reachableFrom,
} from './layers.ts';
import { listImports, readSourceFiles } from './source-files.ts';

const files = readSourceFiles(['lib', 'hooks', 'launchers'], '.ts');
const imports = listImports(files);
const FACES = ['hooks/qemu.ts', 'launchers/passqemu.ts'];

/** The imports of made-up files. */
function importsOf(texts: Readonly<Record<string, string>>) {
  return listImports(new Map(Object.entries(texts)));
}

test('listImports() finds every form of import', () => {
  const text = [
    "import { a, type B } from './a.ts';",
    "import type { C } from '../words/c.ts';",
    "import {\n  d,\n  e,\n} from 'node:fs';",
    "import 'zx/globals';",
    "export * from './f.ts';",
    "const later = async () => (await import('./g.ts')).g();",
  ].join('\n');
  assert.deepEqual(
    importsOf({ 'lib/host/x.ts': text }).map(({ to, typeOnly }) => [to, typeOnly]),
    [
      ['lib/host/a.ts', false],
      ['lib/words/c.ts', true],
      ['node:fs', false],
      ['zx/globals', false],
      ['lib/host/f.ts', false],
      ['lib/host/g.ts', false],
    ],
  );
});

test('every import in the project is found', () => {
  for (const [path, text] of files) {
    const froms = text.match(/\bfrom '|^import '|\bimport\('/gm)?.length ?? 0;
    assert.equal(imports.filter(({ from }) => from === path).length, froms, path);
  }
});

test('imports go down only', () => {
  assert.deepEqual(findUpwardImports(imports), []);
});

test('findUpwardImports() finds what looks up, sideways and out', () => {
  const planted = importsOf({
    'lib/words/a.ts': "import { x } from '../inputs/x.ts';",
    'lib/plan/b.ts': "import type { x } from '../steps/x.ts';",
    'lib/steps/c.ts': "import { x } from '../apply/x.ts';",
    'hooks/d.ts': "import { x } from '../launchers/x.ts';",
    'lib/apply/e.ts': "import { x } from '../steps/x.ts';\nimport { y } from '../plan/y.ts';",
    'launchers/f.ts': "import { x } from '../test/x.ts';",
  });
  assert.deepEqual(findUpwardImports(planted), [
    'lib/words/a.ts must not import lib/inputs/x.ts',
    'lib/plan/b.ts must not import lib/steps/x.ts',
    'lib/steps/c.ts must not import lib/apply/x.ts',
    'hooks/d.ts must not import launchers/x.ts',
    'launchers/f.ts imports test/x.ts, which is in no layer',
  ]);
});

test('only lib/host touches the machine, only launchers use zx and minimist', () => {
  assert.deepEqual(findReservedImports(imports), []);
});

test('findReservedImports() finds the machine and zx in the wrong place', () => {
  const planted = importsOf({
    'lib/steps/a.ts': "import { readFileSync } from 'node:fs';",
    'lib/apply/b.ts': "import { readFile } from 'node:fs/promises';",
    'launchers/c.ts': "import { spawn } from 'node:child_process';\nimport { $ } from 'zx/core';",
    'hooks/d.ts': "import { $ } from 'zx';",
    'lib/host/e.ts': "import net from 'node:net';",
  });
  assert.deepEqual(findReservedImports(planted), [
    'lib/steps/a.ts must not import node:fs: only lib/host does',
    'lib/apply/b.ts must not import node:fs/promises: only lib/host does',
    'launchers/c.ts must not import node:child_process: only lib/host does',
    'hooks/d.ts must not import zx: only launchers does',
  ]);
});

test('the planner and the checks are pure', () => {
  assert.deepEqual(findImpurePlans(imports), []);
});

test('findImpurePlans() finds a planner with a hand on the host', () => {
  const planted = importsOf({
    'lib/plan/a.ts': "import { readMemory } from '../host/memory.ts';",
    'lib/plan/b.ts': "import type { Host } from '../host/host.ts';",
    'lib/plan/c.ts': "import type { MemoryPicture } from '../host/memory.ts';",
    'lib/plan/d.ts': "import { formatHolder } from '../host/holders.ts';",
    'lib/doctor/e.ts': "import { readIommu } from '../host/iommu.ts';",
  });
  assert.deepEqual(findImpurePlans(planted), [
    'lib/plan/a.ts must not touch the host by lib/host/memory.ts',
    'lib/plan/b.ts must not touch the host by lib/host/host.ts',
    'lib/doctor/e.ts must not touch the host by lib/host/iommu.ts',
  ]);
});

test('no imports go in a circle', () => {
  assert.deepEqual(findCircles(imports), []);
});

test('findCircles() finds a circle of three and one of one', () => {
  const planted = importsOf({
    'lib/a/a.ts': "import './b.ts';",
    'lib/a/b.ts': "import './c.ts';",
    'lib/a/c.ts': "import './a.ts';\nimport './c.ts';",
  });
  assert.deepEqual(findCircles(planted), [
    'lib/a/a.ts → lib/a/b.ts → lib/a/c.ts → lib/a/a.ts',
    'lib/a/c.ts → lib/a/c.ts',
  ]);
});

test('every file is used by the hook or by a command', () => {
  const reached = reachableFrom(FACES, imports);
  assert.deepEqual(
    [...files.keys()].filter((path) => !reached.has(path)),
    [],
  );
});

test('the hook’s path knows neither zx nor the launchers', () => {
  const reached = reachableFrom(['hooks/qemu.ts'], imports);
  assert.deepEqual(
    [...reached].filter((path) => /^(zx|minimist|launchers)\b/.test(path)),
    [],
  );
});

test('reachableFrom() follows imports and nothing else', () => {
  const planted = importsOf({
    'a.ts': "import './b.ts';",
    'b.ts': "import 'zx';",
    'c.ts': "import './a.ts';",
  });
  assert.deepEqual([...reachableFrom(['a.ts'], planted)], ['a.ts', 'b.ts', 'zx']);
});
