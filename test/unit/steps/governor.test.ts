import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../lib/words/step.ts';
import { addCpus, addPolicies, type FakePolicy } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';

const FOLDER = '/sys/devices/system/cpu/cpufreq/policy4';
const ACTIVE = { governor: 'powersave', governors: 'performance powersave', energy: 'balance_power' };

function machine(policy: Partial<FakePolicy> = {}): FakeHost {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  addPolicies(host, [{ cpus: '4-7', ...policy }]);
  return host;
}

function governor(wanted: string | null, energy: string | null = null): Step {
  return {
    kind: 'governor',
    policy: 'policy4',
    cpus: '4-5',
    governor: wanted,
    energy,
    target: 'policy4',
    from: null,
    to: null,
  };
}

function state(host: FakeHost): (string | undefined)[] {
  return ['scaling_governor', 'energy_performance_preference'].map((file) =>
    host.peek(`${FOLDER}/${file}`)?.trim(),
  );
}

test('governor sets and restores governor and energy preference, the governor first', async () => {
  const host = machine(ACTIVE);
  const guests = new Guests(host);
  await guests.prepare('a', governor('performance'));
  assert.deepEqual(state(host), ['performance', 'performance']);
  await guests.release('a');
  assert.deepEqual(state(host), ['powersave', 'balance_power']);
  await guests.prepare('a', governor(null, 'power'));
  assert.deepEqual(state(host), ['powersave', 'power']);
  await guests.release('a');
  assert.deepEqual(state(host), ['powersave', 'balance_power']);
  assert.deepEqual(guests.notes, []);
});

test('governor takes the refusal of a preference under performance for what it is', async () => {
  const host = machine(ACTIVE);
  const guests = new Guests(host);
  await guests.prepare('a', governor('performance', 'balance_performance'));
  assert.deepEqual(state(host), ['performance', 'performance']);
  assert.match(guests.notes.join(), /keeps the energy preference performance/);
  await guests.release('a');
  assert.deepEqual(state(host), ['powersave', 'balance_power']);
});

test('governor restores after a preference that reads otherwise than it is written', async () => {
  const host = machine(ACTIVE);
  const guests = new Guests(host);
  await guests.prepare('a', governor(null, 'default'));
  assert.deepEqual(state(host), ['powersave', 'balance_performance']);
  assert.deepEqual(guests.drift('a'), []);
  await guests.release('a');
  assert.deepEqual(state(host), ['powersave', 'balance_power']);
});

test('governor is held while any guest holds it, whichever goes first', async () => {
  for (const [first, second] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const host = machine();
    const guests = new Guests(host);
    await guests.prepare('a', governor('performance'));
    await guests.prepare('b', governor('performance'));
    assert.deepEqual(guests.memory('b'), { governor: 'schedutil', energy: null });
    await guests.release(first);
    assert.deepEqual(state(host), ['performance', undefined]);
    await guests.release(second);
    assert.deepEqual(state(host), ['schedutil', undefined]);
  }
});

test('governor leaves alone what somebody else has set since, and tells of it', async () => {
  const host = machine({ governors: 'performance powersave ondemand', governor: 'ondemand' });
  const guests = new Guests(host);
  await guests.prepare('a', governor('performance'));
  host.write(`${FOLDER}/scaling_governor`, 'powersave');
  assert.deepEqual(guests.drift('a'), ['the governor of policy4 is powersave, was set to performance']);
  await guests.release('a');
  assert.deepEqual(state(host), ['powersave', undefined]);
  assert.match(guests.notes.join(), /set to powersave by somebody else/);

  const active = machine(ACTIVE);
  const others = new Guests(active);
  await others.prepare('a', governor(null, 'power'));
  active.write(`${FOLDER}/energy_performance_preference`, 'balance_performance');
  assert.deepEqual(others.drift('a'), [
    'the energy preference of policy4 is balance_performance, was set to power',
  ]);
  await others.release('a');
  assert.deepEqual(state(active), ['powersave', 'balance_performance']);
});

test('governor fails where the kernel refuses', async () => {
  await assert.rejects(new Guests(machine()).prepare('a', governor('ondemand')), /EINVAL/);
  await assert.rejects(new Guests(machine(ACTIVE)).prepare('a', governor(null, 'fast')), /EINVAL/);
});

test('governor has nothing to put back where all CPUs of the policy are offline', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', governor('performance'));
  host.drop(FOLDER);
  await guests.release('a');
  assert.deepEqual(guests.notes, []);
});
