import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { valueSyntax } from '../../../lib/inputs/profile-keys.ts';
import { formatMs } from '../../../lib/inputs/profile-values.ts';
import { RUN_SYNTAX, type RunKey } from '../../../lib/inputs/run-key.ts';
import {
  camelName,
  RUN_KEYS,
  RUN_SECTION_HELP,
  type RunSectionKind,
  runKey,
} from '../../../lib/inputs/run-keys.ts';
import { RUN_CPU_KEYS, RUN_SECTIONS } from '../../../lib/inputs/run-sections.ts';
import { parseRunValue } from '../../../lib/inputs/run-values.ts';
import { formatKib } from '../../../lib/words/size.ts';

const KEYS: readonly (readonly [string, string, RunKey])[] = Object.entries(RUN_KEYS).flatMap(
  ([section, keys]) =>
    Object.entries(keys).map(([name, key]): [string, string, RunKey] => [section, name, key]),
);

test('RUN_KEYS has keys with help of whole sentences and defaults that are values', () => {
  for (const [section, name, key] of KEYS) {
    assert.match(name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, `${section}.${name}`);
    assert.match(key.help, /^\S[^\n|]*\.$/, `${section}.${name}`);
    if (key.default !== null) assert.ok('value' in parseRunValue(key, key.default), `${section}.${name}`);
  }
});

test('run-sections.ts has the names that run-keys.ts has', () => {
  const sections = Object.keys(RUN_SECTION_HELP).filter((name) => name !== 'cpu');
  assert.deepEqual(new Set(Object.keys(RUN_SECTIONS)), new Set(sections));
  const keyed = Object.keys(RUN_SECTION_HELP).filter((name) => name !== 'arguments');
  assert.deepEqual(new Set(Object.keys(RUN_KEYS)), new Set(keyed));
  assert.deepEqual(Object.keys(RUN_KEYS.cpu), RUN_CPU_KEYS);
});

test('runKey() knows the keys of the table and no inherited ones', () => {
  assert.equal(runKey('disk', 'source'), RUN_KEYS.disk.source);
  assert.deepEqual(
    [runKey('disk', 'mac'), runKey('disk', 'toString'), runKey('toString', 'x'), runKey('arguments', 'x')],
    [null, null, null, null],
  );
});

test('camelName() makes fields of keys', () => {
  assert.deepEqual(['a', 'boot-menu', 'x-vga', 'hv-vendor-id'].map(camelName), [
    'a',
    'bootMenu',
    'xVga',
    'hvVendorId',
  ]);
});

test('docs/profile.md says of every section of a guest without libvirt what the tables say', () => {
  const file = new URL('../../../docs/profile.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const expected = text.replace(
    /(<!-- run-section:([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, start, section, end) => `${start}${sectionText(section)}${end}`,
  );
  if (process.env.UPDATE === '1') writeFileSync(file, expected);
  else assert.equal(text, expected);
  const documented = [...text.matchAll(/<!-- run-section:([\w-]+) -->/g)].map(([, section]) => section);
  assert.deepEqual(documented, Object.keys(RUN_SECTION_HELP));
});

function sectionText(section: RunSectionKind): string {
  const rows = KEYS.filter(([of]) => of === section).map(([, name, key]) => {
    const range = key.range === undefined ? '' : ` (${key.range.map(unitOf(key)).join(' to ')})`;
    const cells = [`\`${name}\``, syntaxOf(key) + range, key.default ?? '–', key.help];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  const table = rows.length === 0 ? '' : `\n| key | value | default | |\n|---|---|---|---|\n${rows.join('')}`;
  return `${RUN_SECTION_HELP[section]}\n${table}`;
}

function syntaxOf(key: RunKey): string {
  return (
    (RUN_SYNTAX as Readonly<Record<string, string>>)[key.kind] ??
    valueSyntax(key as Parameters<typeof valueSyntax>[0])
  );
}

function unitOf({ kind }: RunKey): (value: number) => string {
  return kind === 'duration' ? formatMs : kind === 'size' ? formatKib : String;
}
