import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldStep } from '../../../lib/words/step.ts';
import { planFor } from '../../fake/cpu-machine.ts';
import { addCpus, addPolicies, type FakePolicy } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const ACTIVE: FakePolicy = {
  cpus: '0-3',
  driver: 'intel_pstate',
  governor: 'powersave',
  governors: 'performance powersave',
  energy: 'balance_power',
};
const PASSIVE: FakePolicy = { cpus: '4-7', governors: 'conservative ondemand powersave performance ' };

function plan(
  policies: readonly FakePolicy[],
  governor: string | null,
  energy: string | null = null,
  held: readonly HeldStep[] = [],
  cpus = '2-5',
) {
  const host = new FakeHost();
  addCpus(host, { online: '0-7', release: '6.1.0' });
  addPolicies(host, policies);
  return planFor(host, cpus, { isolate: false, irqs: false, workqueues: false, governor, energy }, held);
}

test('planGovernors() sets every policy that has CPUs of the guest, with those CPUs', () => {
  const { steps, notes } = plan([{ cpus: '0-1' }, { cpus: '2-3' }, PASSIVE], 'performance');
  const step = (policy: string, cpus: string) => ({
    kind: 'governor',
    policy,
    cpus,
    governor: 'performance',
    energy: null,
    target: policy,
    from: 'schedutil',
    to: 'performance',
  });
  assert.deepEqual([steps, notes], [[step('policy2', '2-3'), step('policy4', '4-5')], []]);
});

test('planGovernors() takes the nearest governor where the wanted one does not exist, and says so', () => {
  const table: [FakePolicy, string, string | null][] = [
    [PASSIVE, 'schedutil', 'ondemand'],
    [{ ...PASSIVE, governors: 'schedutil performance' }, 'ondemand', 'schedutil'],
    [{ ...PASSIVE, governors: 'schedutil performance' }, 'conservative', 'schedutil'],
    [{ ...ACTIVE, cpus: '4-7' }, 'schedutil', 'powersave'],
    [{ ...ACTIVE, cpus: '4-7' }, 'performance', 'performance'],
    [{ ...PASSIVE, governors: 'schedutil powersave' }, 'performance', null],
    [{ ...PASSIVE, governors: 'performance powersave userspace' }, 'schedutil', null],
    [{ ...PASSIVE, governors: 'schedutil' }, 'powersave', null],
  ];
  for (const [policy, wanted, got] of table) {
    const { steps, refusals, notes } = plan([policy], wanted, null, [], '4-5');
    const name = `${wanted} of ${policy.governors}`;
    assert.deepEqual(
      steps.map((step) => step.to),
      got === null ? [] : [got],
      name,
    );
    assert.deepEqual(
      refusals.map(({ id }) => id),
      got === null ? ['governor-missing'] : [],
      name,
    );
    assert.equal(notes.length, got !== null && got !== wanted ? 1 : 0, name);
  }
});

test('planGovernors() leaves it to the kernel to load a governor that is a module', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-7', release: '6.1.0' });
  addPolicies(host, [PASSIVE]);
  host.put('/lib/modules/6.1.0/kernel/drivers/cpufreq/cpufreq_schedutil.ko', '');
  const { steps } = planFor(host, '4-5', {
    isolate: false,
    irqs: false,
    workqueues: false,
    governor: 'schedutil',
  });
  assert.deepEqual(
    steps.map((step) => step.to),
    ['schedutil'],
  );
});

test('planGovernors() sets the energy preference only where there is one', () => {
  const { steps, refusals, notes } = plan([ACTIVE, PASSIVE], 'performance', 'performance');
  assert.deepEqual(
    steps.map(({ target, from, to }) => `${target}: ${from} -> ${to}`),
    ['policy0: powersave, balance_power -> performance, performance', 'policy4: schedutil -> performance'],
  );
  assert.deepEqual([refusals, notes.length], [[], 1]);
  assert.deepEqual(
    plan([ACTIVE, PASSIVE], null, 'fast').refusals.map(({ id }) => id),
    ['energy-missing'],
  );
  assert.deepEqual(
    plan([ACTIVE, PASSIVE], null, '128').steps.map(({ to }) => to),
    ['128'],
  );
});

test('planGovernors() refuses to change a policy that another guest has otherwise', () => {
  const held = (governor: string): HeldStep => ({
    guest: 'linux',
    index: 0,
    at: 0,
    step: {
      kind: 'governor',
      policy: 'policy4',
      cpus: '6-7',
      governor,
      energy: null,
      target: 'policy4',
      from: null,
      to: null,
    },
    was: { governor: 'schedutil', energy: null },
  });
  assert.deepEqual(plan([PASSIVE], 'performance', null, [held('performance')], '4-5').refusals, []);
  const { refusals } = plan([PASSIVE], 'performance', null, [held('powersave')], '4-5');
  assert.deepEqual(
    refusals.map(({ id, summary }) => `${id}: ${summary}`),
    [
      "governor-held: Cannot set the governor of policy4 (CPUs 4-7): linux shares these CPUs' frequency and has it at powersave",
    ],
  );
});

test('planGovernors() only notes that a machine has no frequency scaling', () => {
  const { steps, refusals, notes } = plan([], 'performance');
  assert.deepEqual([steps, refusals, notes.length], [[], [], 1]);
});
