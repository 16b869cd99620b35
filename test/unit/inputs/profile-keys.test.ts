import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  COMMAND_NAMES,
  isSection,
  type KeyName,
  keysOfSection,
  PROFILE_KEYS,
  PROFILE_SECTIONS,
  type ProfileKey,
  profileKey,
  valueSyntax,
} from '../../../lib/inputs/profile-keys.ts';
import { formatMs, parseProfileValue } from '../../../lib/inputs/profile-values.ts';
import { formatKib } from '../../../lib/words/size.ts';

const KEYS: readonly (readonly [string, ProfileKey])[] = Object.entries(PROFILE_KEYS);

test('PROFILE_KEYS lists every key in a known section, with help of one sentence', () => {
  for (const [name, key] of KEYS) {
    const [section = '', word = ''] = name.split('.');
    assert.ok(isSection(section), name);
    assert.match(word, /^[a-z]+(-[a-z]+)*$/);
    assert.match(key.help, /^[A-Z][^\n|]*\.$/, name);
  }
});

test('PROFILE_KEYS has defaults that are values', () => {
  for (const [name, key] of KEYS) {
    if (key.default === null) continue;
    assert.ok('value' in parseProfileValue(key, key.default), name);
  }
});

test('PROFILE_KEYS has a command and a time limit for every stage', () => {
  const names = COMMAND_NAMES.flatMap((name) => [name, `${name}-timeout`]);
  assert.deepEqual(keysOfSection('commands'), [...names, 'timeout']);
});

test('profileKey() knows the keys of the table and no inherited ones', () => {
  assert.equal(profileKey('cpu', 'guest'), PROFILE_KEYS['cpu.guest' satisfies KeyName]);
  assert.deepEqual(
    [profileKey('cpu', 'size'), profileKey('devices', 'gpu'), isSection('toString')],
    [null, null, false],
  );
});

test('valueSyntax() shows the choices of a choice', () => {
  assert.equal(valueSyntax(PROFILE_KEYS['options.siblings']), 'refuse|park');
  assert.equal(valueSyntax(PROFILE_KEYS['memory.wait']), 'DURATION');
});

test('docs/profile.md says of every section and key what PROFILE_KEYS says', () => {
  const file = new URL('../../../docs/profile.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const expected = text.replace(
    /(<!-- section:(\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, start, section, end) => {
      return `${start}${sectionText(section)}${end}`;
    },
  );
  if (process.env.UPDATE === '1') writeFileSync(file, expected);
  else assert.equal(text, expected);
  const documented = [...text.matchAll(/<!-- section:(\w+) -->/g)].map(([, section]) => section);
  assert.deepEqual(documented, Object.keys(PROFILE_SECTIONS));
});

function sectionText(section: keyof typeof PROFILE_SECTIONS): string {
  const rows = KEYS.filter(([name]) => name.startsWith(`${section}.`)).map(([name, key]) => {
    const range = key.range === undefined ? '' : ` (${key.range.map(unitOf(key)).join(' to ')})`;
    const cells = [
      `\`${name.slice(section.length + 1)}\``,
      valueSyntax(key) + range,
      key.default ?? '–',
      key.help,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  const table = rows.length === 0 ? '' : `\n| key | value | default | |\n|---|---|---|---|\n${rows.join('')}`;
  return `${PROFILE_SECTIONS[section]}\n${table}`;
}

function unitOf({ kind }: ProfileKey): (value: number) => string {
  return kind === 'duration' ? formatMs : kind === 'size' ? formatKib : String;
}
