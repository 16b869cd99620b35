import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSetting } from '../../../lib/host/settings.ts';

const cases: [text: string, value: string][] = [
  ['always [madvise] never', 'madvise'],
  ['[always] madvise never', 'always'],
  ['always defer defer+madvise madvise [never]\n', 'never'],
  ['950000\n', '950000'],
  ['-1', '-1'],
  ['', ''],
  ['odd[3]', 'odd[3]'],
];
for (const [text, value] of cases) {
  test(`parseSetting() reads ${JSON.stringify(text)} as ${JSON.stringify(value)}`, () => {
    assert.equal(parseSetting(text), value);
  });
}
