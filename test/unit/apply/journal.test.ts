import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendLine, createJournal, heldSteps, readState } from '../../../lib/apply/journal.ts';
import { JOURNAL_FORM, parseJournal } from '../../../lib/apply/journal-text.ts';
import type { Step } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const HEADER = {
  passqemu: JOURNAL_FORM,
  version: '0.1.0',
  guest: 'win',
  uuid: null,
  bootId: 'boot',
  at: 1,
  inputs: 'x',
} as const;
const PATH = '/run/passqemu/win.jsonl';
const step = (value: string): Step => ({
  kind: 'setting',
  path: '/proc/sys/vm/x',
  value,
  label: 'x',
  target: 'x',
  from: '0',
  to: value,
});

function written(lines: number): FakeHost {
  const host = new FakeHost();
  const journal = createJournal(host, PATH, HEADER, { kind: 'person' });
  for (let i = 0; i < lines; i++) {
    appendLine(host, journal, { t: 'do', i, at: 2, step: step(String(i)), was: { value: 'old' } });
  }
  return host;
}

test('readState() says once, in words, why a journal cannot be read', () => {
  for (const [how, why] of [
    ['EACCES', 'only root may read it'],
    ['EIO', 'EIO'],
  ] as const) {
    const host = written(1);
    host.fault = { at: host.calls.length + 2, how };
    assert.deepEqual(readState(host, '/run/passqemu').unreadable, [{ path: PATH, why }]);
  }
});

test('parseJournal() reads back what was appended', () => {
  const host = written(3);
  const { journals, unreadable } = readState(host, '/run/passqemu');
  assert.deepEqual(unreadable, []);
  assert.deepEqual(
    heldSteps(journals).map((held) => held.step.to),
    ['0', '1', '2'],
  );
  assert.equal(journals[0]!.owner.kind, 'person');
});

test('parseJournal() takes a last line that is cut anywhere for a step that never began', () => {
  const whole = Buffer.from(written(2).peek(PATH)!);
  const text = whole.toString();
  const last = text.indexOf('{"t":"do","i":1');
  const end = text.indexOf('\n', last);
  for (let cut = last; cut < end; cut++) {
    // The room behind is padding already, as it is on disk
    const bytes = Buffer.from(`${text.slice(0, cut)}${'\n'.repeat(text.length - cut)}`);
    const parsed = parseJournal(PATH, bytes);
    assert.equal(parsed.is, 'journal', `cut at ${cut}`);
    assert.equal(parsed.is === 'journal' && parsed.journal.entries.length, 1, `cut at ${cut}`);
  }
});

test('appendLine() behind a torn line leaves nothing of it', () => {
  const host = written(2);
  const text = host.peek(PATH)!;
  const last = text.indexOf('{"t":"do","i":1');
  host.put(PATH, `${text.slice(0, last + 60)}${'\n'.repeat(2000)}`);
  const { journals } = readState(host, '/run/passqemu');
  appendLine(host, journals[0]!, { t: 'undone', i: 0 });
  const again = readState(host, '/run/passqemu');
  assert.deepEqual(again.unreadable, []);
  assert.equal(again.journals[0]!.entries[0]!.undone, true);
});

test('parseJournal() calls a file with a torn first line empty: nothing was changed before it was whole', () => {
  assert.deepEqual(parseJournal(PATH, Buffer.from('{"passqemu":1,"ver')), { is: 'empty' });
  assert.deepEqual(parseJournal(PATH, Buffer.from('\n\n\n')), { is: 'empty' });
});

test('parseJournal() refuses damage in the middle, an unknown step and a newer form', () => {
  const text = written(3).peek(PATH)!;
  const damaged = parseJournal(PATH, Buffer.from(text.replace('"t":"do","i":1', '"t":"do",,i":1')));
  assert.deepEqual(damaged, { is: 'unreadable', why: 'line 4 is damaged' });
  const unknown = parseJournal(PATH, Buffer.from(text.replace('"kind":"setting"', '"kind":"settinq"')));
  assert.deepEqual(unknown, { is: 'unreadable', why: 'line 3: unknown kind of step "settinq"' });
  const newer = parseJournal(PATH, Buffer.from(text.replace('"passqemu":1', '"passqemu":2')));
  assert.deepEqual(newer, { is: 'unreadable', why: 'it has form 2, this passqemu reads 1' });
});

test('appendLine() for undo needs no more space than a step has made', () => {
  const host = written(20);
  const size = Buffer.byteLength(host.peek(PATH)!);
  const journal = readState(host, '/run/passqemu').journals[0]!;
  for (let i = 19; i >= 0; i--) {
    appendLine(host, journal, { t: 'undoing', i, mark: { pool: 123456 } as never });
    appendLine(host, journal, { t: 'undone', i });
  }
  assert.equal(Buffer.byteLength(host.peek(PATH)!), size);
});
