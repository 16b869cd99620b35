import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { sha256 } from '../../../lib/words/sha256.ts';

test('sha256 gives what node:crypto gives, for every length around the blocks’ ends', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'Gästé\0'.repeat(40).slice(0, length);
    assert.equal(sha256(text), createHash('sha256').update(text).digest('hex'), `${length}`);
  }
});
