import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingKind } from '../../../lib/steps/setting.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import type { HeldStep, StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addKnobs } from '../../fake/knobs-model.ts';

const THP = '/sys/kernel/mm/transparent_hugepage/enabled';

function machine(): FakeHost {
  const host = new FakeHost();
  addKnobs(host);
  return host;
}

function step(path = THP, value = 'never'): StepOf<'setting'> {
  return { kind: 'setting', target: path, from: null, to: value, path, value, label: 'the knob' };
}

function context(host: FakeHost, others: readonly HeldStep[] = []): StepContext & { notes: string[] } {
  const notes: string[] = [];
  return { host, guest: 'a', others, notes, note: (line) => notes.push(line) };
}

function held(guest: string, value: string, wanted = step()): HeldStep {
  return { guest, index: 0, at: 0, step: wanted, was: { value }, got: null };
}

test('settingKind sets a bracketed value and puts the former one back', () => {
  const host = machine();
  const was = settingKind.observe(step(), context(host));
  assert.deepEqual(was, { value: 'madvise' });
  settingKind.apply(step(), was, context(host));
  assert.equal(host.peek(THP), 'always madvise [never]\n');
  settingKind.undo(step(), was, null, context(host));
  assert.equal(host.peek(THP), 'always [madvise] never\n');
});

test('settingKind.apply() writes nothing where the value is there already', () => {
  const host = machine();
  settingKind.apply(step(THP, 'madvise'), { value: 'madvise' }, context(host));
  assert.equal(
    host.calls.some((call) => call.startsWith('write')),
    false,
  );
});

test('settingKind.apply() throws where the kernel takes the value but shows another', () => {
  const deaf = new FakeHost();
  deaf.put('/proc/sys/x', '0\n').onWrite('/proc/sys/x', () => {});
  assert.throws(() => settingKind.apply(step('/proc/sys/x', '1'), { value: '0' }, context(deaf)), {
    message: 'Cannot set the knob to 1: the kernel took the value but shows 0',
  });
});

test('settingKind tells in words what the kernel refuses, both ways', () => {
  const host = machine();
  const path = '/proc/sys/vm/compaction_proactiveness';
  assert.throws(() => settingKind.apply(step(path, '200'), { value: '20' }, context(host)), {
    message: 'Cannot set the knob to 200: the kernel refuses it (EINVAL)',
  });
  assert.throws(() => settingKind.undo(step(path, '20'), { value: '200' }, null, context(host)), {
    message: 'Cannot set the knob back to 200: the kernel refuses it (EINVAL)',
  });
});

test('settingKind.observe() copies the base from another guest that holds the setting', () => {
  const host = machine();
  const others = [held('x', 'always', step('/proc/sys/vm/stat_interval')), held('b', 'always')];
  assert.deepEqual(settingKind.observe(step(), context(host, others)), { value: 'always' });
});

test('settingKind.observe() refuses a setting that the kernel does not have', () => {
  assert.throws(() => settingKind.observe(step('/proc/sys/none'), context(machine())), {
    message: 'Cannot read the knob: this kernel has no such setting',
  });
});

test('settingKind.undo() leaves the value while another guest holds it', () => {
  const host = machine();
  settingKind.apply(step(), { value: 'madvise' }, context(host));
  settingKind.undo(step(), { value: 'madvise' }, null, context(host, [held('b', 'madvise')]));
  assert.equal(host.peek(THP), 'always madvise [never]\n');
});

test('settingKind.undo() leaves what somebody else has set since, and says so', () => {
  const host = machine();
  host.put(THP, '[always] madvise never\n');
  const about = context(host);
  settingKind.undo(step(), { value: 'madvise' }, null, about);
  assert.equal(host.peek(THP), '[always] madvise never\n');
  assert.deepEqual(about.notes, [
    'the knob is always, which somebody else has set since: left so (it was madvise)',
  ]);
});

test('settingKind.undo() does nothing where apply never began', () => {
  const host = machine();
  const about = context(host);
  settingKind.undo(step(), { value: 'madvise' }, undefined, about);
  assert.equal(host.peek(THP), 'always [madvise] never\n');
  assert.deepEqual(about.notes, []);
});

test('settingKind: the last of three guests out restores the base, in whatever order they leave', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const host = machine();
    let live: HeldStep[] = [];
    for (const guest of ['a', 'b', 'c']) {
      const was = settingKind.observe(step(), context(host, live));
      settingKind.apply(step(), was, context(host, live));
      live = [...live, { ...held(guest, was.value) }];
    }
    const all = live;
    for (const at of order) {
      live = live.filter((entry) => entry !== all[at]);
      settingKind.undo(step(), (all[at] as { was: { value: string } }).was, null, context(host, live));
      assert.equal(host.peek(THP), live.length > 0 ? 'always madvise [never]\n' : 'always [madvise] never\n');
    }
  }
});

test('settingKind.drift() tells a value that somebody took back', () => {
  const host = machine();
  assert.equal(
    settingKind.drift!(step(), { value: 'madvise' }, null, context(host)),
    'the knob is madvise, not never',
  );
  assert.equal(settingKind.drift!(step(THP, 'madvise'), { value: 'never' }, null, context(host)), null);
});
