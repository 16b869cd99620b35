import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { planRun } from '../../../lib/qemu/plan-run.ts';
import { goldenPicture, goldenQemu } from '../../golden/golden-picture.ts';

const folder = new URL('../../golden/', import.meta.url);
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** A guest's command line, an argument a line; a line break within one is written as \n. */
function argvOf(name: string): string {
  const text = readFileSync(new URL(`${name}/profile.ini`, folder), 'utf8');
  const whole = parseRunProfile(text, { guest: name, path: `/etc/passqemu/${name}.ini` });
  const { argv } = planRun(whole, goldenPicture(whole), goldenQemu());
  return argv.map((word) => `${word.replaceAll('\n', '\\n')}\n`).join('');
}

test('there are at least 60 golden cases, each with a word on what it is for', () => {
  assert.ok(cases.length >= 60, String(cases.length));
  for (const name of cases)
    assert.match(readFileSync(new URL(`${name}/profile.ini`, folder), 'utf8'), /^# [A-Z0-9]/, name);
});

for (const name of cases) {
  test(`planRun() makes of ${name} what is written there`, () => {
    const file = new URL(`${name}/argv.txt`, folder);
    const made = argvOf(name);
    if (process.env.UPDATE === '1') writeFileSync(file, made);
    assert.ok(existsSync(file), `${name}/argv.txt is missing: UPDATE=1 writes it, and then look at it`);
    assert.equal(made, readFileSync(file, 'utf8'));
  });
}
