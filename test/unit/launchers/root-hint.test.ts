import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootHint } from '../../../launchers/root-hint.ts';
import { HostError, UsageError } from '../../../lib/words/errors.ts';

test('rootHint() helps an ordinary user who was refused something, and nobody else', () => {
  for (const code of ['EACCES', 'EPERM']) {
    const refused = new HostError('Cannot open the lock', { code });
    assert.match(rootHint(refused, 1000) ?? '', /as root/);
    assert.equal(rootHint(refused, 0), null);
    assert.equal(rootHint(refused, null), null);
  }
  assert.equal(rootHint(new HostError('Cannot open the lock', { code: 'ENOENT' }), 1000), null);
  assert.equal(rootHint(new UsageError('Cannot'), 1000), null);
});
