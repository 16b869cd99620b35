import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePciBars } from '../../../lib/host/pci-bars.ts';

const EMPTY = '0x0000000000000000 0x0000000000000000 0x0000000000000000';

test('parsePciBars() gives the size of each BAR and leaves out empty ones, the ROM and bridge windows', () => {
  const text = [
    '0x0000004000000000 0x00000043ffffffff 0x000000000014220c',
    EMPTY,
    '0x0000000000000000 0x0000000000ffffff 0x0000000020040200',
    EMPTY,
    EMPTY,
    '0x000000000000e000 0x000000000000e07f 0x0000000000040101',
    '0x00000000000c0000 0x00000000000dffff 0x0000000000000212',
    '0x0000000080000000 0x00000000800fffff 0x0000000000000200',
  ].join('\n');
  assert.deepEqual(
    parsePciBars(text, (index) => index === 0),
    [
      { index: 0, sizeBytes: 16 * 1024 ** 3, resizable: true },
      { index: 2, sizeBytes: 16 * 1024 ** 2, resizable: false },
      { index: 5, sizeBytes: 128, resizable: false },
    ],
  );
});

test('parsePciBars() leaves out lines that are none', () => {
  const broken = ['0x1 0x0 0x200', 'garbage', '0x0 0xffffffffffffffff 0x200', '-1 2 3', ''].join('\n');
  assert.deepEqual(
    parsePciBars(broken, () => false),
    [],
  );
});

test('parsePciBars() reads every size that a start and an end can say', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 60n), fc.bigInt(1n, 2n ** 52n), (start, size) => {
      const [first, last] = [start, start + size - 1n].map((value) => `0x${value.toString(16)}`);
      const bars = parsePciBars(`${EMPTY}\n${first} ${last} 0x140204\n`, () => false);
      assert.deepEqual(bars, [{ index: 1, sizeBytes: Number(size), resizable: false }]);
    }),
  );
});
