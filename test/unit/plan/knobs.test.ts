import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KnobPicture, readKnobPicture } from '../../../lib/host/knobs.ts';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { planKnobs } from '../../../lib/plan/knobs.ts';
import type { HeldStep, Step } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addKnobs, addLogind } from '../../fake/knobs-model.ts';

function knobs(about: Partial<Profile['knobs']> = {}): Profile['knobs'] {
  return {
    transparentHugepages: null,
    ksm: null,
    rtRuntimeUs: null,
    nmiWatchdog: null,
    statIntervalS: null,
    compactionProactiveness: null,
    inhibitSleep: false,
    ...about,
  };
}

const all = {
  transparentHugepages: 'never',
  ksm: false,
  rtRuntimeUs: 900_000,
  nmiWatchdog: true,
  statIntervalS: 120,
  compactionProactiveness: 0,
} as const;

function machine(): FakeHost {
  const host = new FakeHost();
  addKnobs(host);
  addLogind(host);
  return host;
}

function plan(about: Partial<Profile['knobs']>, others: readonly HeldStep[] = [], picture?: KnobPicture) {
  const profile = knobs(about);
  return planKnobs({ guest: 'a', profile, picture: picture ?? readKnobPicture(machine(), profile), others });
}

test('planKnobs() turns nothing that the profile does not turn', () => {
  assert.deepEqual(plan({}), { steps: [], refusals: [], notes: [] });
});

test('planKnobs() turns every knob, from its present value, as its file takes it', () => {
  const part = plan({ ...all, inhibitSleep: true });
  assert.deepEqual([part.refusals, part.notes], [[], []]);
  assert.deepEqual(
    part.steps.map((step) =>
      step.kind === 'setting' ? `${step.path}: ${step.from} → ${step.value}` : step.kind,
    ),
    [
      'inhibit',
      '/sys/kernel/mm/transparent_hugepage/enabled: madvise → never',
      '/sys/kernel/mm/ksm/run: 1 → 0',
      '/proc/sys/kernel/sched_rt_runtime_us: 950000 → 900000',
      '/proc/sys/kernel/nmi_watchdog: 1 → 1',
      '/proc/sys/vm/stat_interval: 1 → 120',
      '/proc/sys/vm/compaction_proactiveness: 20 → 0',
    ],
  );
});

test('planKnobs() makes steps of this form', () => {
  const path = '/sys/kernel/mm/ksm/run';
  const token = 'passqemu guest a';
  const expected: Step[] = [
    { kind: 'inhibit', target: 'sleep', from: null, to: 'held off', token },
    { kind: 'setting', target: 'KSM', from: '1', to: '1', path, value: '1', label: 'KSM' },
  ];
  assert.deepEqual(plan({ ksm: true, inhibitSleep: true }).steps, expected);
});

test('planKnobs() notes what this kernel does not have, and goes on', () => {
  const picture: KnobPicture = {
    present: new Map([
      ['ksm', null],
      ['statIntervalS', '1'],
    ]),
    canInhibitSleep: false,
  };
  const part = plan({ ksm: false, statIntervalS: 5 }, [], picture);
  assert.deepEqual(part.notes, ['This kernel has no KSM (/sys/kernel/mm/ksm/run): left out']);
  assert.deepEqual(
    part.steps.map(({ target }) => target),
    ['vm.stat_interval'],
  );
});

test('planKnobs() notes that the host may sleep where nothing can hold it off', () => {
  const part = plan({ inhibitSleep: true }, [], { present: new Map(), canInhibitSleep: false });
  assert.deepEqual(
    [part.steps, part.notes],
    [
      [],
      ['The host may sleep while the guest runs: there is no systemd-inhibit here that could hold it off'],
    ],
  );
});

function held(guest: string, path: string, value: string): HeldStep {
  const face = { target: '', from: null, to: null };
  return {
    guest,
    index: 0,
    at: 0,
    step: { kind: 'setting', ...face, path, value, label: '' },
    was: { value: '?' },
    got: null,
  };
}

test('planKnobs() refuses a value that differs from what another guest holds, and names it', () => {
  const part = plan({ ksm: false, statIntervalS: 5 }, [
    held('b', '/sys/kernel/mm/ksm/run', '1'),
    held('c', '/proc/sys/vm/stat_interval', '5'),
  ]);
  assert.deepEqual(part.refusals, [
    {
      id: 'setting-held',
      summary: 'Cannot set KSM to 0: guest b holds it at 1, and it is one for the whole host',
      remedy: 'Stop b first, or give both profiles the same value in [knobs]',
    },
  ]);
  assert.deepEqual(
    part.steps.map(({ target }) => target),
    ['vm.stat_interval'],
  );
});

for (const value of [-1, 0]) {
  test(`planKnobs() refuses sched_rt_runtime_us = ${value}`, () => {
    const part = plan({ rtRuntimeUs: value });
    assert.deepEqual([part.steps, part.refusals.map(({ id }) => id)], [[], ['rt-runtime']]);
    assert.match(
      part.refusals[0]!.summary,
      new RegExp(`to ${value}: a real-time task could then keep a CPU for ever`),
    );
  });
}

test('planKnobs() notes hazards of real-time tasks', () => {
  const host = machine();
  host.put('/proc/sys/kernel/sched_rt_runtime_us', '-1\n');
  const picture = readKnobPicture(host, knobs({ rtRuntimeUs: 980_000 }));
  const { notes } = plan({ rtRuntimeUs: 980_000 }, [], picture);
  assert.deepEqual(
    notes.map((line) => line.split(':')[0]),
    [
      'sched_rt_runtime_us is -1 on this host',
      'sched_rt_runtime_us = 980000 leaves other tasks little of a CPU that a real-time task keeps busy',
    ],
  );
});

test('readKnobPicture() reads only what the profile turns', () => {
  const host = machine();
  const picture = readKnobPicture(host, knobs({ transparentHugepages: 'never' }));
  assert.deepEqual(picture, {
    present: new Map([['transparentHugepages', 'madvise']]),
    canInhibitSleep: false,
  });
  assert.deepEqual(host.calls, ['readOptional /sys/kernel/mm/transparent_hugepage/enabled']);
});

test('readKnobPicture() sees whether sleep can be held off', () => {
  const bare = new FakeHost().put('/usr/bin/systemd-inhibit', '', 0o755);
  const answers = [machine(), bare].map(
    (host) => readKnobPicture(host, knobs({ inhibitSleep: true })).canInhibitSleep,
  );
  assert.deepEqual(answers, [true, false]);
});
