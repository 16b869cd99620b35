import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import { describeKey, findKey, listKeys } from '../../../launchers/key-text.ts';
import { manPages } from '../../../launchers/man.ts';
import { escapeRoff } from '../../../launchers/man-roff.ts';
import { PROFILE_KEYS } from '../../../lib/inputs/profile-keys.ts';

const PAGES = manPages({ commands: COMMANDS, options: GLOBAL_OPTIONS });

test('manPages() has a page for each command with each of its options, the overview and the profile', () => {
  assert.deepEqual(
    PAGES.map(({ file }) => file).sort(),
    [...COMMANDS.map(({ name }) => `passqemu-${name}.1`), 'passqemu-profile.5', 'passqemu.1'].sort(),
  );
  for (const { name, options } of COMMANDS) {
    const { text } = PAGES.find(({ file }) => file === `passqemu-${name}.1`)!;
    for (const option of [...options, ...GLOBAL_OPTIONS])
      assert.ok(text.includes(`\\-\\-${escapeRoff(option.name)}`), `--${option.name} of ${name}`);
  }
});

test('passqemu-profile(5) has every key with its default', () => {
  const { text } = PAGES.find(({ file }) => file === 'passqemu-profile.5')!;
  for (const name of listKeys()) {
    const key = findKey(name)!;
    assert.ok(
      text.includes(
        `\\fB${escapeRoff(`${name.slice(name.indexOf('.') + 1)} = ${describeKey(key).syntax}`)}\\fR`,
      ),
      name,
    );
  }
  assert.ok(listKeys().length > Object.keys(PROFILE_KEYS).length + 50);
  assert.match(text, /\\fBgovernor = NAME\\fR/);
});

test('escapeRoff() leaves nothing that roff would take for its own', () => {
  assert.equal(escapeRoff(".so /etc/shadow\n'x\na\\fB-b…"), "\\&.so /etc/shadow\n\\&'x\na\\efB\\-b...");
});

test('describeKey() tells how a value is written, its default and its range', () => {
  const told = (name: string) => describeKey(findKey(name)!);
  assert.deepEqual(told('options.siblings'), { syntax: 'refuse|park', facts: 'Default: refuse.' });
  assert.deepEqual(told('options.device-timeout'), {
    syntax: 'DURATION',
    facts: 'Default: 20s. From 1s to 600s.',
  });
  assert.deepEqual(told('memory.size'), { syntax: 'SIZE', facts: 'From 4 KiB to 65536 GiB.' });
  assert.equal(findKey('nothing.here'), null);
  assert.equal(findKey('cpu'), null);
});

test('mandoc finds no fault in any page', (t) => {
  for (const { file, text } of PAGES) {
    const { status, stdout, error } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning'], {
      input: text,
      encoding: 'utf8',
    });
    if (error !== undefined) return t.skip('there is no mandoc here');
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '' }, file);
  }
});
