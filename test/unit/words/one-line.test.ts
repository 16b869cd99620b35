import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostError, type Refusal, RefusedError } from '../../../lib/words/errors.ts';
import { formatErrorLine, formatErrorLines } from '../../../lib/words/one-line.ts';

const refusal = (at: number): Refusal => ({
  id: 'x',
  summary: `Cannot take device ${at}`,
  remedy: at === 2 ? null : `Free ${at}`,
});
const refused = (count: number) =>
  new RefusedError(
    'Cannot start win: there are reasons',
    Array.from({ length: count }, (_, at) => refusal(at + 1)),
  );

for (const [error, line] of [
  [refused(1), 'Cannot take device 1; Free 1'],
  [
    refused(2),
    'Cannot start win: there are reasons; (1) Cannot take device 1; Free 1; (2) Cannot take device 2',
  ],
  [
    refused(6),
    'Cannot start win: there are reasons; (1) Cannot take device 1; Free 1; (2) Cannot take device 2; (3) Cannot take device 3; Free 3; (4) Cannot take device 4; Free 4; and 2 more, which passqemu plan shows',
  ],
  [new RefusedError('Cannot prepare win: it runs', [], 'Stop it'), 'Cannot prepare win: it runs; Stop it'],
  [new HostError('Cannot bind\nit', { hint: 'See\n  the log' }), 'Cannot bind; it; See; the log'],
] as const) {
  test(`formatErrorLine() says "${line.slice(0, 40)}…" in one line`, () => {
    assert.equal(formatErrorLine(error), line);
    assert.ok(!line.includes('\n'));
  });
}

test('formatErrorLines() has every reason for a terminal', () => {
  assert.equal(formatErrorLines(refused(6)).length, 7);
});
