import assert from 'node:assert/strict';
import { test } from 'node:test';
import { irqsKind } from '../../../lib/steps/irqs.ts';
import type { Step, StepOf } from '../../../lib/words/step.ts';
import { addCpus, addIrqs } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { Guests } from '../../fake/guests.ts';
import { bearIrq } from '../../fake/irq-model.ts';

function machine(): FakeHost {
  const host = new FakeHost();
  addCpus(host, { online: '0-7' });
  addIrqs(host, [
    { irq: 0, actions: ['timer'], affinity: '0', managed: 'EIO' },
    { irq: 9, actions: ['acpi'], affinity: '0-7' },
    { irq: 25, actions: ['nvme0q1'], affinity: '4-5', managed: 'EPERM' },
    { irq: 26, actions: ['xhci_hcd'], affinity: '6' },
    { irq: 27, affinity: '0-7' },
    { irq: 28, actions: ['eth0'], affinity: '0-3' },
    { irq: 70000, actions: ['far'], affinity: '1' },
  ]);
  return host;
}

function irqs(guestCpus: string): Step {
  return { kind: 'irqs', guestCpus, target: 'interrupts', from: null, to: null };
}

/** Where each interrupt may go, the default first. */
function state(host: FakeHost, ...numbers: number[]): Record<string, string | undefined> {
  const lists = [9, 25, 26, 27, 28, ...numbers].map((irq) => [
    irq,
    host.peek(`/proc/irq/${irq}/smp_affinity_list`)?.trim(),
  ]);
  return { default: host.peek('/proc/irq/default_smp_affinity')?.trim(), ...Object.fromEntries(lists) };
}

const BEFORE = { default: 'ff', 9: '0-7', 25: '4-5', 26: '6', 27: '0-7', 28: '0-3' };

test('irqs moves what it may off the guest’s CPUs and remembers what refuses', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', irqs('4-7'));
  // 26 had no other CPU, so the host's take its place; 27 has no handler and gets the default when one comes
  assert.deepEqual(state(host), { ...BEFORE, default: 'f', 9: '0-3', 26: '0-3' });
  assert.deepEqual(guests.memory('a'), {
    defaultMask: 'ff',
    affinities: {
      9: { actions: 'acpi', list: '0-7' },
      25: { actions: 'nvme0q1', list: '4-5' },
      26: { actions: 'xhci_hcd', list: '6' },
    },
    untouched: [0, 28, 70000],
  });
  assert.deepEqual(guests.notes, [
    "1 interrupts stay on the guest's CPUs: the kernel manages them itself (25)",
  ]);
  assert.deepEqual(guests.drift('a'), []);
  await guests.release('a');
  assert.deepEqual(state(host), BEFORE);
  assert.equal(guests.notes.length, 1);
});

for (const [first, second, between] of [
  ['a', 'b', { ...BEFORE, default: '3f', 9: '0-5', 26: '0-3' }],
  ['b', 'a', { ...BEFORE, default: 'cf', 9: '0-3,6-7' }],
] as const) {
  test(`irqs of two guests, ${first} released first`, async () => {
    const host = machine();
    const guests = new Guests(host);
    await guests.prepare('a', irqs('4-5'));
    await guests.prepare('b', irqs('6-7'));
    assert.deepEqual(state(host), { ...BEFORE, default: 'f', 9: '0-3', 26: '0-3' });
    await guests.release(first);
    assert.deepEqual(state(host), between);
    await guests.release(second);
    assert.deepEqual(state(host), BEFORE);
  });
}

test('irqs widens what was born under the narrowed default, and nothing that was there before', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', irqs('4-7'));
  bearIrq(host, 40, 'eth1');
  // The number of an interrupt that is gone, given to another device
  host.drop('/proc/irq/9');
  bearIrq(host, 9, 'mei_me');
  addIrqs(host, [{ irq: 41, actions: ['own'], affinity: '2' }], 'f');
  assert.equal(host.peek('/proc/irq/40/smp_affinity_list'), '0-3\n');
  await guests.release('a');
  assert.deepEqual(state(host, 40, 41), { ...BEFORE, 40: '0-7', 41: '2' });
});

test('irqs leaves alone what somebody else has moved since, and says how many', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', irqs('4-7'));
  host.write('/proc/irq/9/smp_affinity_list', '1');
  host.write('/proc/irq/default_smp_affinity', '1');
  guests.notes.length = 0;
  await guests.release('a');
  assert.deepEqual(state(host), { ...BEFORE, default: '1', 9: '1' });
  assert.deepEqual(guests.notes.slice(0, 2), [
    'The default affinity of interrupts has been changed by somebody else since: left as it is',
    '1 interrupts have been moved by somebody else since: left where they are',
  ]);
});

test('irqs says which interrupts the kernel will not give back', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', irqs('4-7'));
  host.put('/proc/irq/9/affinity_hint', 'EIO\n');
  await assert.rejects(guests.release('a'), {
    message: 'Cannot give interrupts 9 their CPUs back: the kernel refuses',
  });
});

test('irqs tells which interrupts are on the guest’s CPUs again', async () => {
  const host = machine();
  const guests = new Guests(host);
  await guests.prepare('a', irqs('4-7'));
  host.write('/proc/irq/9/smp_affinity_list', '0-7');
  assert.deepEqual(guests.drift('a'), ['1 interrupts may use CPUs 4-7 again (9)']);
});

test('irqs reads each interrupt once and writes only what it changes', async () => {
  const host = machine();
  const context = { host, guest: 'a', others: [], note: () => {} };
  const step = irqs('4-7') as StepOf<'irqs'>;
  const was = irqsKind.observe(step, context);
  const reads = host.calls.filter((call) => call.includes('smp_affinity_list'));
  assert.deepEqual([reads.length, new Set(reads).size], [7, 7]);
  host.calls.length = 0;
  await irqsKind.apply(step, was, context);
  assert.deepEqual(
    host.calls.filter((call) => call.startsWith('write ')),
    [
      'write /proc/irq/default_smp_affinity = "f"',
      'write /proc/irq/9/smp_affinity_list = "0-3"',
      'write /proc/irq/25/smp_affinity_list = "0-3"',
      'write /proc/irq/26/smp_affinity_list = "0-3"',
    ],
  );
});

test('irqs widens one that was born on its device’s node under our narrowed default', async () => {
  const host = machine();
  const guests = new Guests(host);
  host.put('/sys/devices/system/node/node0/cpulist', '0-3\n');
  await guests.prepare('a', irqs('2-3'));
  for (const [irq, affinity] of [
    [41, '0-1'],
    [42, '0'],
  ] as const) {
    addIrqs(
      host,
      [{ irq, actions: ['nvme0q0'], affinity }],
      host.peek('/proc/irq/default_smp_affinity')!.trim(),
    );
    host.put(`/proc/irq/${irq}/node`, '0\n');
  }
  await guests.release('a');
  assert.equal(host.peek('/proc/irq/41/smp_affinity_list'), '0-3\n');
  assert.equal(host.peek('/proc/irq/42/smp_affinity_list'), '0\n', 'this one has fewer than we left it');
});
