import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../lib/words/step.ts';
import { addCpus, addWorkqueues } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';

const MASK = '/sys/devices/virtual/workqueue/cpumask';

function machine(mask: string, requested = true): FakeHost {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  addWorkqueues(host, mask, requested);
  return host;
}

function workqueues(guestCpus: string): Step {
  return { kind: 'workqueues', guestCpus, target: 'unbound workqueues', from: null, to: null };
}

for (const requested of [true, false]) {
  test(`workqueues of two guests, released in either order (${requested ? 'with' : 'without'} cpumask_requested)`, async () => {
    for (const [first, second, between] of [
      ['a', 'b', '3f'],
      ['b', 'a', 'cf'],
    ] as const) {
      const host = machine('ff', requested);
      const guests = new Guests(host);
      await guests.prepare('a', workqueues('4-5'));
      await guests.prepare('b', workqueues('6-7'));
      assert.equal(host.peek(MASK), 'f\n');
      assert.deepEqual(guests.memory('b'), { mask: 'ff' });
      await guests.release(first);
      assert.equal(host.peek(MASK), `${between}\n`);
      await guests.release(second);
      assert.equal(host.peek(MASK), 'ff\n');
      assert.deepEqual(guests.notes, []);
    }
  });
}

test('workqueues goes by what was asked for, not by what a partition has taken off it', async () => {
  const host = machine('ff');
  host.put(MASK, '0f\n');
  const guests = new Guests(host);
  await guests.prepare('a', workqueues('4-7'));
  assert.deepEqual(guests.memory('a'), { mask: 'ff' });
  await guests.release('a');
  assert.equal(host.peek(MASK), 'ff\n');
});

test('workqueues puts the host’s CPUs in the place of a mask that would be empty', async () => {
  const host = machine('c0');
  const guests = new Guests(host);
  await guests.prepare('a', workqueues('6-7'));
  assert.equal(host.peek(MASK), '3f\n');
  await guests.release('a');
  assert.equal(host.peek(MASK), 'c0\n');
});

test('workqueues leaves alone what somebody else has set since, and tells of it', async () => {
  const host = machine('ff');
  const guests = new Guests(host);
  await guests.prepare('a', workqueues('4-7'));
  host.write(MASK, '81');
  assert.deepEqual(guests.drift('a'), ['unbound workqueues may use CPUs 7 again']);
  await guests.release('a');
  assert.equal(host.peek(MASK), '81\n');
  assert.match(guests.notes.join(), /changed by somebody else/);
});
