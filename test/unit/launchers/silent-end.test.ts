import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

test('a command that ends without having come to its end does not say that it went well', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'passqemu-silent-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const preload = path.join(folder, 'preload.mts');
  const host = path.resolve('lib/host/real-host.ts');
  // Nothing is left to wait for, and what is waited for never comes
  fs.writeFileSync(
    preload,
    `import { RealHost } from ${JSON.stringify(host)};\nRealHost.prototype.lock = () => new Promise(() => {});\n`,
  );
  fs.mkdirSync(path.join(folder, 'state'), { mode: 0o700 });
  fs.writeFileSync(path.join(folder, 'state', 'x.jsonl'), '');
  const words = ['recover', '--config-dir', folder, '--state-dir', path.join(folder, 'state')];
  const argv = ['--import', 'tsx', '--import', preload, 'launchers/passqemu.ts', ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [1, ''], stderr);
});
