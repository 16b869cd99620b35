import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeRom } from '../../fake/option-rom-maker.ts';

const folder = mkdtempSync(join(tmpdir(), 'passqemu-rom-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function passqemu(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'launchers/passqemu.ts', 'rom', ...argv],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

function file(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test('rom check --json has the keys of the public contract', () => {
  const { status, stdout } = passqemu(
    'check',
    file('good.rom', makeRom({ type: 'x86' }, { type: 'efi' })),
    '--json',
  );
  const report = JSON.parse(stdout);
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(report), ['valid', 'uefi', 'images', 'trimOffset', 'problems']);
  assert.deepEqual(report.images[1], {
    offset: 2048,
    length: 2048,
    type: 'efi',
    vendorId: '10de',
    deviceId: '2684',
    classCode: '030000',
    revision: 0,
    efi: { machine: 'x64', subsystem: 'boot', compressed: false, signatureValid: true },
    last: true,
    checksumValid: null,
    codeRevision: 0,
    deviceIds: [],
  });
});

test('rom check says where to cut, in a command that a shell takes as meant', () => {
  const good = makeRom({ type: 'efi' });
  const path = file("it's a dump.rom", Buffer.concat([Buffer.alloc(1000, 1), good]));
  const { status, stdout } = passqemu('check', path);
  assert.equal(status, 1);
  const cut = stdout
    .split('\n')
    .find((line) => line.includes('dd if='))!
    .replace(/.*: dd/, 'dd');
  const out = join(folder, 'cut.rom');
  assert.equal(spawnSync('/bin/sh', ['-c', cut.replace('of=FILE', `of=${out}`)]).status, 0);
  assert.deepEqual(readFileSync(out), good);
});

test('rom check complains in words about a file that is not there, too large, or no file', () => {
  const missing = passqemu('check', join(folder, 'nowhere'));
  assert.deepEqual([missing.status, /Cannot read .*nowhere: ENOENT/.test(missing.stderr)], [1, true]);
  assert.match(passqemu('check', folder).stderr, /it is no file/);
});

test('rom refuses what it does not know, and a dump from a recorded machine', () => {
  assert.equal(passqemu('chek', 'x').status, 2);
  assert.equal(passqemu('check', 'a', 'b').status, 2);
  assert.equal(passqemu('dump', 'card', join(folder, 'x')).status, 2);
  const recorded = passqemu('dump', '0000:01:00.0', join(folder, 'x'), '--sysroot', '/');
  assert.equal(recorded.status, 1);
  assert.match(recorded.stderr, /no such PCI function|none that the kernel can reach/);
  assert.equal(existsSync(join(folder, 'x')), false);
});
