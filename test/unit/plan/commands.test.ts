import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { planCommands } from '../../../lib/plan/commands.ts';
import type { StepOf } from '../../../lib/words/step.ts';

const NONE: Profile['commands'] = {
  prepareFirst: null,
  prepareLast: null,
  started: null,
  stopped: null,
  releaseFirst: null,
  releaseLast: null,
};
const command = (program: string, timeoutMs: number) => ({ argv: [program, 'x'], timeoutMs });
const face = (target: string) => ({ kind: 'command', target, from: null, to: null }) as const;
const empty = { steps: [], refusals: [], notes: [] };

test('planCommands() has no step without a command', () => {
  assert.deepEqual(planCommands({ ...NONE, started: command('/s', 1) }, new Map([['/s', null]])), {
    first: empty,
    last: empty,
  });
});

test('planCommands() pairs prepare-first with release-last around everything, prepare-last with release-first inside', () => {
  const commands = {
    ...NONE,
    prepareFirst: command('/a', 1),
    prepareLast: command('/b', 2),
    releaseFirst: command('/c', 3),
    releaseLast: command('/d', 4),
  };
  const first: StepOf<'command'> = {
    ...face('/a'),
    name: 'prepare-first',
    argv: ['/a', 'x'],
    timeoutMs: 1,
    undoArgv: ['/d', 'x'],
    undoTimeoutMs: 4,
  };
  const last: StepOf<'command'> = {
    ...face('/b'),
    name: 'prepare-last',
    argv: ['/b', 'x'],
    timeoutMs: 2,
    undoArgv: ['/c', 'x'],
    undoTimeoutMs: 3,
  };
  assert.deepEqual(planCommands(commands, new Map()), {
    first: { ...empty, steps: [first] },
    last: { ...empty, steps: [last] },
  });
});

test('planCommands() makes a step for one half of a pair too', () => {
  const { first, last } = planCommands(
    { ...NONE, releaseLast: command('/d', 4), prepareLast: command('/b', 2) },
    new Map(),
  );
  assert.deepEqual(first.steps, [
    { ...face('/d'), name: 'prepare-first', argv: [], timeoutMs: 0, undoArgv: ['/d', 'x'], undoTimeoutMs: 4 },
  ]);
  assert.deepEqual(last.steps, [
    {
      ...face('/b'),
      name: 'prepare-last',
      argv: ['/b', 'x'],
      timeoutMs: 2,
      undoArgv: null,
      undoTimeoutMs: 0,
    },
  ]);
});

test('planCommands() refuses every program that cannot be run safely', () => {
  const { first, last } = planCommands(
    NONE,
    new Map([
      ['/a', 'it is not there'],
      ['/b', null],
      ['/c', 'it is no file'],
    ]),
  );
  assert.deepEqual(
    first.refusals.map(({ id, summary }) => `${id}: ${summary}`),
    [
      'command: Cannot run the command /a: it is not there',
      'command: Cannot run the command /c: it is no file',
    ],
  );
  assert.deepEqual(last, empty);
});
