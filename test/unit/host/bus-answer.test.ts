import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBusAnswer } from '../../../lib/host/bus-answer.ts';
import { busMessage } from '../../fake/systemd-model.ts';

const WELCOME = Buffer.from('OK 0123456789abcdef\r\n');

test('parseBusAnswer() waits for the answer to our call, whatever else comes before it', () => {
  const whole = Buffer.concat([WELCOME, busMessage(4, 0, 'x'), busMessage(2, 9, ''), busMessage(2, 1, '')]);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(parseBusAnswer(whole.subarray(0, length)), null, `${length} bytes`);
  }
  assert.equal(parseBusAnswer(whole), 'done');
});

test('parseBusAnswer() gives an error its words', () => {
  const answer = Buffer.concat([WELCOME, busMessage(3, 1, 'Unit is masked')]);
  assert.deepEqual(parseBusAnswer(answer), { error: 'Unit is masked' });
});

for (const [what, bytes] of [
  ['a refusal', Buffer.from('REJECTED EXTERNAL\r\n')],
  ['something else', Buffer.alloc(300, 'x')],
  ['big endian', Buffer.concat([WELCOME, Buffer.alloc(16, 'B')])],
  ['a length without measure', Buffer.concat([WELCOME, Buffer.from('l\x02\0\x01'), Buffer.alloc(12, 0xff)])],
] as const) {
  test(`parseBusAnswer() does not take ${what} for D-Bus`, () => {
    assert.throws(() => parseBusAnswer(bytes));
  });
}

test('parseBusAnswer() ends on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        parseBusAnswer(Buffer.concat([WELCOME, busMessage(3, 1, 'x').subarray(0, 24), bytes]));
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof RangeError), String(error));
      }
    }),
  );
});
