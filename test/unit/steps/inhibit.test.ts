import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inhibitorArgv } from '../../../lib/host/inhibitors.ts';
import { inhibitKind } from '../../../lib/steps/inhibit.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { Died, FakeHost } from '../../fake/fake-host.ts';
import { addLogind, inhibitorReasons } from '../../fake/knobs-model.ts';

const TOKEN = 'passqemu guest win 10';
const step: StepOf<'inhibit'> = { kind: 'inhibit', target: 'sleep', from: null, to: null, token: TOKEN };

function machine(about: { grants?: boolean } = {}): FakeHost {
  const host = new FakeHost();
  addLogind(host, about);
  return host;
}

function context(host: FakeHost): StepContext & { notes: string[] } {
  const notes: string[] = [];
  return { host, guest: 'win 10', others: [], notes, note: (line) => notes.push(line) };
}

test('inhibitKind starts an inhibitor that lives, and ends it', async () => {
  const host = machine();
  const about = context(host);
  await inhibitKind.apply(step, null, about);
  assert.deepEqual(inhibitorReasons(host), [TOKEN]);
  assert.equal(inhibitKind.drift!(step, null, null, about), null);
  await inhibitKind.undo(step, null, null, about);
  assert.deepEqual(inhibitorReasons(host), []);
  assert.equal(inhibitKind.drift!(step, null, null, about), 'nothing holds off sleep any more');
  assert.deepEqual(about.notes, []);
});

test('inhibitKind.apply() is content with a note where logind refuses', async () => {
  const about = context(machine({ grants: false }));
  await inhibitKind.apply(step, null, about);
  assert.deepEqual(about.notes, [
    'The host may sleep while the guest runs: logind has not granted the lock against it',
  ]);
});

test('inhibitKind.apply() is content with a note where systemd-inhibit cannot be started', async () => {
  const host = machine();
  host.fault = { at: host.calls.length + 1, how: 'ENOENT' };
  const about = context(host);
  await inhibitKind.apply(step, null, about);
  assert.deepEqual(about.notes, [
    `The host may sleep while the guest runs: Cannot spawnDetached ${inhibitorArgv(TOKEN).join(' ')}: ENOENT`,
  ]);
});

test('inhibitKind.apply() waits until the lock is granted, not only asked for', async () => {
  const host = machine();
  host.onSpawn('systemd-inhibit', (_argv, pid) => {
    host.put(`/proc/${pid}/task/${pid}/children`, '');
    const sleep = host.sleep.bind(host);
    host.sleep = async (ms) => {
      await sleep(ms);
      if (host.clock > 1_000_050) host.put(`/proc/${pid}/task/${pid}/children`, '77 ');
    };
  });
  const about = context(host);
  await inhibitKind.apply(step, null, about);
  assert.deepEqual(about.notes, []);
  assert(host.clock > 1_000_050 && host.clock < 1_001_000);
});

test('inhibitKind.apply() goes on with a note where logind does not answer', async () => {
  const host = machine();
  host.onSpawn('systemd-inhibit', (_argv, pid) => void host.put(`/proc/${pid}/task/${pid}/children`, ''));
  const about = context(host);
  await inhibitKind.apply(step, null, about);
  assert.equal(about.notes.length, 1);
  assert.equal(host.clock >= 1_005_000, true);
});

test('inhibitKind.undo() finds the inhibitor of a process that was killed right after starting it', async () => {
  const host = machine();
  host.fault = { at: host.calls.length + 1, how: 'die-in' };
  await assert.rejects(async () => inhibitKind.apply(step, null, context(host)), Died);
  const next = host.restart();
  assert.deepEqual(inhibitorReasons(next), [TOKEN]);
  await inhibitKind.undo(step, null, undefined, context(next));
  assert.deepEqual(inhibitorReasons(next), []);
});

test('inhibitKind.undo() gives an inhibitor on a busy machine the time to end', async () => {
  const host = machine();
  await inhibitKind.apply(step, null, context(host));
  const told: string[] = [];
  const signal = host.signal.bind(host);
  host.signal = (process, name) => {
    told.push(name);
    const begun = host.clock;
    const sleep = host.sleep.bind(host);
    host.sleep = async (ms) => {
      await sleep(ms);
      if (host.clock > begun + 4_000) signal(process, name);
    };
    return true;
  };
  await inhibitKind.undo(step, null, null, context(host));
  assert.deepEqual(told, ['SIGTERM']);
});

test('inhibitKind.undo() leaves everything else alone: other tokens, other programs, arguments that only contain it', async () => {
  const host = machine();
  const argv = inhibitorArgv(TOKEN);
  const why = `--why=${TOKEN}`;
  const innocent = [
    argv.map((word) => (word === why ? `${why}0` : word)),
    ['bash', ...argv.slice(1)],
    ['systemd-inhibit', 'echo', why],
    ['grep', why],
    [...argv, 'more'],
  ].map((words) => host.spawnProcess(words));
  const ours = host.spawnProcess(['/usr/bin/systemd-inhibit', ...argv.slice(1)]);
  await inhibitKind.undo(step, null, null, context(host));
  assert.deepEqual(
    [...innocent, ours].map((pid) => host.peek(`/proc/${pid}/stat`) !== null),
    [true, true, true, true, true, false],
  );
});

test('inhibitKind.undo() kills one that does not end by itself, and throws where even that does nothing', async () => {
  const host = machine();
  const pid = host.spawnProcess(inhibitorArgv(TOKEN));
  const sent: string[] = [];
  host.signal = (_process, signal) => {
    sent.push(signal);
    if (signal === 'SIGKILL') host.endProcess(pid);
    return true;
  };
  await inhibitKind.undo(step, null, null, context(host));
  assert.deepEqual(sent, ['SIGTERM', 'SIGKILL']);
  const deaf = machine();
  const stuck = deaf.spawnProcess(inhibitorArgv(TOKEN));
  deaf.signal = () => true;
  await assert.rejects(async () => inhibitKind.undo(step, null, null, context(deaf)), {
    message: `Cannot let the host sleep again: the inhibitor (process ${stuck}) does not end`,
  });
});

test('inhibitKind.undo() does nothing where apply never began', async () => {
  const host = machine();
  await inhibitKind.undo(step, null, undefined, context(host));
  assert.equal(
    host.calls.some((call) => call.startsWith('signal')),
    false,
  );
});
