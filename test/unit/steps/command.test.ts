import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunOptions } from '../../../lib/host/host.ts';
import { commandKind } from '../../../lib/steps/command.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import { runUserCommand } from '../../../lib/steps/user-command.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { FakeHost } from '../../fake/fake-host.ts';

function step(about: Partial<StepOf<'command'>> = {}): StepOf<'command'> {
  return {
    kind: 'command',
    target: '/opt/in',
    from: null,
    to: null,
    name: 'prepare-first',
    argv: ['/opt/in', 'a b'],
    timeoutMs: 1000,
    undoArgv: ['/opt/out'],
    undoTimeoutMs: 2000,
    ...about,
  };
}

function context(host: FakeHost): StepContext {
  return { host, guest: 'win', others: [], note: () => {} };
}

/** A machine on which every program succeeds and is written down. */
function machine(): FakeHost & { ran: { argv: readonly string[]; options: RunOptions }[] } {
  const ran: { argv: readonly string[]; options: RunOptions }[] = [];
  const host = new FakeHost();
  for (const program of ['/opt/in', '/opt/out']) {
    host.onRun(program, (argv, _host, options) => {
      ran.push({ argv, options });
      return {};
    });
  }
  return Object.assign(host, { ran });
}

test('commandKind runs the command on the way in and its counterpart on the way out, each in its environment and time', async () => {
  const host = machine();
  assert.deepEqual(await commandKind.apply(step(), null, context(host)), { failed: 0 });
  await commandKind.undo(step(), null, { failed: 0 }, context(host));
  const env = (operation: string) => ({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    PASSQEMU_GUEST: 'win',
    PASSQEMU_OPERATION: operation,
  });
  assert.deepEqual(host.ran, [
    { argv: ['/opt/in', 'a b'], options: { timeoutMs: 1000, env: env('prepare-first') } },
    { argv: ['/opt/out'], options: { timeoutMs: 2000, env: env('release-last') } },
  ]);
});

test('commandKind runs nothing where a side has no command', async () => {
  const host = machine();
  await commandKind.apply(step({ argv: [] }), null, context(host));
  await commandKind.undo(step({ undoArgv: null }), null, { failed: 0 }, context(host));
  assert.deepEqual(host.ran, []);
});

test('commandKind.undo() throws where its command fails, three times, and then gives up with a note', async () => {
  const host = new FakeHost().onRun('/opt/out', () => ({ status: 7 }));
  const notes: string[] = [];
  const about = { ...context(host), note: (line: string) => notes.push(line) };
  const message = 'Cannot go past the command release-last (/opt/out): it ended with status 7';
  let got = commandKind.settle!(step(), null, about);
  for (const failed of [1, 2]) {
    await assert.rejects(async () => commandKind.undo(step(), null, got, about), { message });
    got = commandKind.settleUndo!(step(), null, got, null, about);
    assert.deepEqual([got, notes], [{ failed }, []]);
  }
  await commandKind.undo(step(), null, got, about);
  assert.deepEqual(notes, [`${message}; given up after 3 tries`]);
});

test('commandKind tells in words what it runs', () => {
  assert.deepEqual(
    [
      commandKind.describe(step()),
      commandKind.describe(step({ argv: [], name: 'prepare-last' })),
      commandKind.describeUndo(step(), null),
      commandKind.describeUndo(step({ undoArgv: null }), null),
    ],
    [
      'run the command prepare-first (/opt/in)',
      'note the command release-first for later',
      'run the command release-last (/opt/out)',
      'leave what the command prepare-first did',
    ],
  );
});

const failures: [
  name: string,
  answer: { status?: number | null; stderr?: string; timedOut?: boolean },
  message: string,
][] = [
  [
    'its status and last words',
    { status: 3, stderr: 'one\ntwo\u001b[31m\n' },
    'it ended with status 3: two [31m',
  ],
  ['that it said nothing', { status: 1 }, 'it ended with status 1'],
  ['a signal', { status: null }, 'it was ended by a signal'],
  [
    'that its time was over',
    { status: null, timedOut: true, stderr: 'slow\n' },
    'it has not ended within 1 s: slow',
  ],
  [
    'that its time was over though it then ended well',
    { status: 0, timedOut: true },
    'it has not ended within 1 s',
  ],
  [
    'not more than a line of it',
    { status: 1, stderr: 'x'.repeat(9000) },
    `it ended with status 1: ${'x'.repeat(300)}`,
  ],
];
for (const [name, answer, message] of failures) {
  test(`runUserCommand() tells ${name}`, async () => {
    const host = new FakeHost().onRun('/opt/in', () => answer);
    const run = { guest: 'win', operation: 'started', argv: ['/opt/in'], timeoutMs: 1000 };
    await assert.rejects(runUserCommand(host, run), {
      message: `Cannot go past the command started (/opt/in): ${message}`,
    });
  });
}
