import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hiddenSignAt, quoted, visible } from '../../../lib/inputs/parsed.ts';

test('quoted() escapes what a terminal would not show, and cuts what is long', () => {
  assert.equal(quoted('a\n\u001b[2J"\u202eb\u2028'), '"a\\n\\u001b[2J\\"\\u202eb\\u2028"');
  assert.equal(quoted('x'.repeat(61)), `"${'x'.repeat(60)}…"`);
});

const SIGNS: readonly [string, string, number][] = [
  ['plain text', 'key = Größe 大きさ 🙂', -1],
  ['a tab', 'a\tb', -1],
  ['a NUL', 'ab\0', 2],
  ['a lone carriage return', 'a\rb', 1],
  ['a line separator', 'a\u2028b', 1],
  ['a change of direction', '\u202eb', 0],
  ['a mark of no width', 'a\u200bb', 1],
  ['a byte order mark', 'a\ufeff', 1],
  ['an escape', '\u001b[1m', 0],
  ['a C1 control', '\u009b1m', 0],
];
for (const [what, text, at] of SIGNS) {
  test(`hiddenSignAt() ${at < 0 ? 'lets' : 'finds'} ${what}`, () => assert.equal(hiddenSignAt(text), at));
}

test('hiddenSignAt() does not remember the text before', () => {
  assert.deepEqual(['\0', '\0', 'ab\0', '\0'].map(hiddenSignAt), [0, 0, 2, 0]);
});

test('visible() leaves one line of text', () => {
  assert.equal(visible('a\nb\u2028c\u202ed'), 'a b c d');
});
