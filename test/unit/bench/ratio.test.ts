import assert from 'node:assert/strict';
import test from 'node:test';
import { quantile, ratioOf } from '../../bench/ratio.ts';

test('ratioOf() gives the middle of the pairs, which one bad pair does not move', () => {
  const pairs: [number, number][] = [
    [10, 12],
    [20, 22],
    [10, 900],
    [40, 40],
    [10, 13],
  ];
  assert.deepEqual(ratioOf(pairs), { median: 1.2, lower: 1.1, upper: 1.3, pairs: 5 });
});

test('quantile() lies between neighbours in proportion, and refuses to judge nothing', () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.throws(() => quantile([], 0.5), /nothing was measured/);
});
