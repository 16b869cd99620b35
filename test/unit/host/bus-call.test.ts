import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusWriter, formatBusCall } from '../../../lib/host/bus-call.ts';

test('formatBusCall() is the message of the D-Bus specification, byte for byte', () => {
  const body = new BusWriter();
  body.text('a');
  body.uint32(1);
  const call = formatBusCall({
    destination: 'a.b',
    path: '/p',
    interface: 'i.f',
    member: 'M',
    signature: 'sb',
    body: body.bytes(),
  });
  const header = [
    // little endian, method call, no flags, protocol 1, body of 12 bytes, serial 1, fields of 72 bytes
    ...[108, 1, 0, 1, 12, 0, 0, 0, 1, 0, 0, 0, 72, 0, 0, 0],
    ...[1, 1, 111, 0, 2, 0, 0, 0, 47, 112, 0, 0, 0, 0, 0, 0],
    ...[2, 1, 115, 0, 3, 0, 0, 0, 105, 46, 102, 0, 0, 0, 0, 0],
    ...[3, 1, 115, 0, 1, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0],
    ...[6, 1, 115, 0, 3, 0, 0, 0, 97, 46, 98, 0, 0, 0, 0, 0],
    ...[8, 1, 103, 0, 2, 115, 98, 0],
  ];
  const text = [1, 0, 0, 0, 97, 0];
  assert.deepEqual([...call], [...header, ...text, 0, 0, 1, 0, 0, 0]);
});

test('BusWriter leaves the padding before the first element out of an array’s length', () => {
  const out = new BusWriter();
  out.byte(7);
  out.array(8, () => out.byte(1));
  assert.deepEqual([...out.bytes()], [7, 0, 0, 0, 1, 0, 0, 0, 1]);
});
