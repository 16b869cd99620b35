import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../../lib/words/nearest-name.ts';

const KNOWN = ['guest', 'isolate', 'irqs', 'workqueues', 'governor', 'energy', 'drop-caches'];

const CASES: readonly [string, string | null][] = [
  ['guset', 'guest'],
  ['Guest', 'guest'],
  ['guests', 'guest'],
  ['irq', 'irqs'],
  ['drop_caches', 'drop-caches'],
  ['governer', 'governor'],
  ['isolated', 'isolate'],
  ['hugepages', null],
  ['x', null],
  ['', null],
];

for (const [name, expected] of CASES) {
  test(`nearestName() of ${JSON.stringify(name)} is ${expected}`, () => {
    assert.equal(nearestName(name, KNOWN), expected);
  });
}

test('nearestName() prefers the nearer of two', () => {
  assert.equal(nearestName('started', ['stopped', 'start', 'starter']), 'starter');
});

test('nearestName() does not compare names of any length', () => {
  assert.equal(nearestName('g'.repeat(100_000), KNOWN), null);
});
