import assert from 'node:assert/strict';
import test from 'node:test';
import { formatAnswer, parseMonitorLine } from '../../../lib/run/monitor-text.ts';

const LINES: readonly (readonly [string, unknown])[] = [
  ['', null],
  ['  ', null],
  ['query-status', { command: 'query-status', args: {} }],
  ['device_del id=usb1', { command: 'device_del', args: { id: 'usb1' } }],
  ['x-y a=1 b=true c=a=b d=', { command: 'x-y', args: { a: 1, b: true, c: 'a=b', d: '' } }],
  [':info block -v', { command: 'human-monitor-command', args: { 'command-line': 'info block -v' } }],
  ['{"execute":"cont"}', { command: 'cont', args: {} }],
  ['{"execute":"a","arguments":{"b":[1]}}', { command: 'a', args: { b: [1] } }],
];

for (const [line, wanted] of LINES) {
  test(`parseMonitorLine() reads ${JSON.stringify(line)}`, () => {
    assert.deepEqual(parseMonitorLine(line), wanted);
  });
}

for (const line of [
  'info block',
  '1',
  '{"execute":1}',
  '{"execute":"a","arguments":[]}',
  '{',
  'a =b',
  '-S',
]) {
  test(`parseMonitorLine() does not take ${JSON.stringify(line)}`, () => {
    assert.ok('problem' in parseMonitorLine(line)!);
  });
}

test('formatAnswer() shows text as it is, but for signs that nobody can see', () => {
  assert.equal(formatAnswer('a\r\nb\u001b[31m\r\n'), 'a\nb [31m');
  assert.equal(formatAnswer({}), 'OK');
  assert.equal(formatAnswer({ running: true }), '{\n  "running": true\n}');
});
