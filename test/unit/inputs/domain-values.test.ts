import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseLibvirtMemoryKib,
  parseLibvirtNumber,
  parseLibvirtSet,
  parseUuid,
} from '../../../lib/inputs/domain-values.ts';
import { formatCpuList } from '../../../lib/words/cpu-list.ts';

const SETS: readonly [string, readonly number[] | null][] = [
  ['0', [0]],
  ['1-4,^3,6', [1, 2, 4, 6]],
  [' 1 - 2 , 5 ', [1, 2, 5]],
  ['^3,0-4', [0, 1, 2, 3, 4]],
  ['0-4,^3,3', [0, 1, 2, 3, 4]],
  ['4,2,2-3', [2, 3, 4]],
  ['16383', [16_383]],
  ['16384', null],
  ['0-99999', null],
  ['', null],
  ['3,^3', null],
  ['^3', null],
  ['0-4,^1-2', null],
  ['4-2', null],
  ['1,,2', null],
  ['1-', null],
  ['-1', null],
  ['0x1', null],
  ['1-8:2', null],
  ['a', null],
];
for (const [text, expected] of SETS) {
  test(`parseLibvirtSet() of ${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseLibvirtSet(text), expected);
  });
}

test('parseLibvirtSet() reads back what formatCpuList() writes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(16_383), { minLength: 1 }), (numbers) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      assert.deepEqual(parseLibvirtSet(formatCpuList(sorted)), sorted);
    }),
  );
});

const AMOUNTS: readonly [string, string | null, number | null][] = [
  ['1048576', null, 1_048_576],
  ['\n  1048576 \n', '', 1_048_576],
  ['16', 'GiB', 16_777_216],
  ['16', 'gib', 16_777_216],
  ['16', 'G', 16_777_216],
  ['16', 'g', 16_777_216],
  ['1', 'GB', 976_563],
  ['1024', 'b', 1],
  ['1025', 'bytes', 2],
  ['1', 'byte', 1],
  ['1', 'KB', 1],
  ['2', 'KB', 2],
  ['3', 'KiB', 3],
  ['3', 'k', 3],
  ['1', 'T', 1_073_741_824],
  ['1', 'PiB', 1_099_511_627_776],
  ['1', 'E', 1_125_899_906_842_624],
  ['9', 'E', null],
  ['0', null, 0],
  ['', null, null],
  ['-1', null, null],
  ['1.5', 'GiB', null],
  ['0x10', null, null],
  ['1', 'GiBi', null],
  ['1', 'Z', null],
  ['1', 'bib', null],
  ['99999999999999999999', 'KiB', null],
];
for (const [text, unit, kib] of AMOUNTS) {
  test(`parseLibvirtMemoryKib() of ${JSON.stringify(text)} ${unit} is ${kib}`, () => {
    assert.equal(parseLibvirtMemoryKib(text, unit), kib);
  });
}

const NUMBERS: readonly [string, number | null][] = [
  ['0', 0],
  ['0x1f', 31],
  ['0X1F', 31],
  ['31', 31],
  ['037', 31],
  ['00', 0],
  ['08', null],
  ['0xffffffff', 4_294_967_295],
  ['4294967295', 4_294_967_295],
  ['4294967296', null],
  ['0x1ffffffff', null],
  ['077777777777', null],
  ['-1', null],
  ['+1', null],
  ['1e3', null],
  ['0b1', null],
  ['1f', null],
  ['0x', null],
  ['', null],
];
for (const [text, number] of NUMBERS) {
  test(`parseLibvirtNumber() of ${JSON.stringify(text)} is ${number}`, () => {
    assert.equal(parseLibvirtNumber(text), number);
  });
}

test('parseUuid() gives lower case with dashes', () => {
  const uuid = '0c6c4f2e-9a1b-4a6f-8d7e-2b1c3d4e5f60';
  assert.equal(parseUuid(uuid), uuid);
  assert.equal(parseUuid(` ${uuid.toUpperCase()}\n`), uuid);
  assert.equal(parseUuid(uuid.replaceAll('-', '')), uuid);
  assert.equal(parseUuid(`${uuid}0`), null);
  assert.equal(parseUuid(uuid.replace('c', 'g')), null);
  assert.equal(parseUuid(''), null);
});
