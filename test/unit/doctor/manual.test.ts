import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { THEMES } from '../../../lib/doctor/finding.ts';
import { CHECKS } from '../../../lib/doctor/run-checks.ts';

test('docs/doctor.md has every check with what it means', () => {
  const file = new URL('../../../docs/doctor.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const expected = text.replace(
    /(<!-- checks -->\n)[\s\S]*?(<!-- end -->)/,
    (_all, start, end) => `${start}${table()}${end}`,
  );
  if (process.env.UPDATE === '1') writeFileSync(file, expected);
  else assert.equal(text, expected);
});

function table(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const count = THEMES.reduce((sum, theme) => sum + CHECKS[theme].length, 0);
  const parts = THEMES.map((theme) => {
    const rows = CHECKS[theme].map(
      ({ id, title, meaning }) => `| \`${id}\` | ${cell(title)} | ${cell(meaning)} |\n`,
    );
    return `\n## ${theme}\n\n| id | what | why it matters |\n|---|---|---|\n${rows.join('')}`;
  });
  return `\n${count} checks, ${CHECKS.guest.length} of them only where a guest is named.\n${parts.join('')}\n`;
}
