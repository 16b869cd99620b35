import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_PART, mergeParts, type PlanPart } from '../../../lib/plan/part.ts';

test('mergeParts() puts steps, refusals and notes one behind the other', () => {
  const part = (name: string): PlanPart => ({
    steps: [{ kind: 'module', name, target: name, from: null, to: null }],
    refusals: [{ id: name, summary: name, remedy: null }],
    notes: [name],
  });
  const merged = mergeParts(part('a'), EMPTY_PART, part('b'));
  assert.deepEqual(
    merged.steps.map(({ target }) => target),
    ['a', 'b'],
  );
  assert.deepEqual(
    merged.refusals.map(({ id }) => id),
    ['a', 'b'],
  );
  assert.deepEqual(merged.notes, ['a', 'b']);
  assert.deepEqual(mergeParts(), EMPTY_PART);
});
