import assert from 'node:assert/strict';
import test from 'node:test';
import { formatRoughly } from '../../../lib/words/size.ts';

test('formatRoughly() rounds for people', () => {
  assert.deepEqual([0, 64, 1024, 524_288, 1_048_576, 32_812_345, 33_554_432].map(formatRoughly), [
    '0 KiB',
    '64 KiB',
    '1 MiB',
    '512 MiB',
    '1 GiB',
    '31.3 GiB',
    '32 GiB',
  ]);
});
