import assert from 'node:assert/strict';
import test from 'node:test';
import { describeGuestState, NO_ANSWER, readGuestState } from '../../../lib/run/guest-state.ts';
import type { QmpClient } from '../../../lib/run/qmp-client.ts';

test('describeGuestState() says what can be done about a guest that does not just run', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['suspended', /sleeps \(S3\): passqemu monitor k system_wakeup/],
    ['paused', /is paused: passqemu monitor k cont/],
    ['io-error', /a disk has failed: .*passqemu monitor k cont/],
    ['guest-panicked', /has crashed .*passqemu monitor k system_reset/],
    ['internal-error', /passqemu monitor k system_reset/],
    ['shutdown', /has powered off.*passqemu stop k --force/],
    [NO_ANSWER, /does not answer/],
    ['inmigrate', /QEMU calls it inmigrate/],
  ];
  for (const [state, words] of cases) assert.match(describeGuestState(state, 'k') ?? '', words);
  assert.equal(describeGuestState('running', 'k'), null);
});

test('readGuestState() takes QEMU’s word only where it is one', async () => {
  const answered = (status: unknown) =>
    readGuestState({ execute: async () => ({ status }) } as unknown as QmpClient);
  assert.equal(await answered('suspended'), 'suspended');
  assert.equal(await answered('\u001b[2J'), 'unknown');
  assert.equal(await answered(7), 'unknown');
});
