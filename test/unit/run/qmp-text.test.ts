import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatQmpCommand, parseQmpMessage, QmpLines } from '../../../lib/run/qmp-text.ts';
import { HostError } from '../../../lib/words/errors.ts';
import { GREETING } from '../../fake/fake-connection.ts';

const CASES: readonly (readonly [string, unknown])[] = [
  [GREETING, { is: 'greeting', version: [7, 2, 22] }],
  ['{"return": {}, "id": "passqemu-1"}', { is: 'return', id: 'passqemu-1', value: {} }],
  ['{"return": [1]}', { is: 'return', id: null, value: [1] }],
  [
    '{"error": {"class": "DeviceNotFound", "desc": "no\\u001b[31m"}, "id": "a"}',
    { is: 'error', id: 'a', kind: 'DeviceNotFound', text: 'no [31m' },
  ],
  ['{"error": {}}', { is: 'error', id: null, kind: 'GenericError', text: 'no reason is given' }],
  [
    '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}',
    { is: 'event', name: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } },
  ],
  ['{"event": "STOP"}', { is: 'event', name: 'STOP', data: {} }],
];

for (const [line, wanted] of CASES) {
  test(`parseQmpMessage() reads ${line.trim().slice(0, 40)}`, () => {
    assert.deepEqual(parseQmpMessage(line), wanted);
  });
}

for (const line of [
  '',
  'x',
  '[]',
  'null',
  '{}',
  '{"QMP": {}}',
  '{"QMP": {"version": {"qemu": {"major": "7", "minor": 2, "micro": 1}}}}',
  '{"error": 1}',
  `{"a":${'['.repeat(100_000)}`,
]) {
  test(`parseQmpMessage() refuses ${JSON.stringify(line.slice(0, 30))}`, () => {
    assert.throws(() => parseQmpMessage(line), HostError);
  });
}

test('QmpLines puts messages together whatever parts they come in', () => {
  const text = CASES.map(([line]) => `${line.trim()}\r\n`).join('');
  const wanted = CASES.map(([, message]) => message);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
      const lines = new QmpLines();
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const messages = places.slice(1).flatMap((end, index) => lines.push(text.slice(places[index]!, end)));
      assert.deepEqual(messages, wanted);
    }),
  );
});

test('QmpLines answers any text with messages or a HostError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => `${json}\n`),
      ),
      (text) => {
        try {
          new QmpLines().push(text);
        } catch (error) {
          assert.ok(error instanceof HostError, String(error));
        }
      },
    ),
  );
});

test('QmpLines refuses a line without an end', () => {
  const lines = new QmpLines();
  assert.throws(() => {
    for (let count = 0; count < 100; count++) lines.push('x'.repeat(100_000));
  }, /longer than/);
});

test('formatQmpCommand() is one line whatever the arguments hold', () => {
  assert.equal(formatQmpCommand('a', 'cont', {}), '{"execute":"cont","id":"a"}\n');
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, value) => {
      const line = formatQmpCommand('id', 'device_add', { [`k${key}`]: value });
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.deepEqual(JSON.parse(line), {
        execute: 'device_add',
        arguments: { [`k${key}`]: value },
        id: 'id',
      });
    }),
  );
});
