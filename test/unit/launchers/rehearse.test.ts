import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRehearsal } from '../../../launchers/rehearse.ts';

test('formatRehearsal() shows both ways with the time of each step', () => {
  const text = formatRehearsal('win', [
    { step: 'stop gdm.service', what: 'done', tookMs: 900 },
    { step: 'bind 0000:01:00.0 to vfio-pci', what: 'done', tookMs: 50 },
    { step: 'give 0000:01:00.0 back to amdgpu', what: 'undone', tookMs: 1200 },
  ]);
  assert.equal(
    text,
    `Handing over to win (950 ms):
      900 ms  stop gdm.service
       50 ms  bind 0000:01:00.0 to vfio-pci
Taking back (1200 ms):
     1200 ms  give 0000:01:00.0 back to amdgpu
Everything is back as it was`,
  );
});
