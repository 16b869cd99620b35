import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BORN, type Life, type LifeInput, phaseOf, stepLife } from '../../../lib/run/life.ts';

const TIMES = { stopMs: 60_000, quitMs: 10_000 };
const ask: LifeInput = { is: 'ask' };
const order: LifeInput = { is: 'order' };
const time: LifeInput = { is: 'time' };
const event = (name: string, data: Record<string, unknown> = {}): LifeInput => ({
  is: 'event',
  event: { is: 'event', name, data },
});

/** What is done about each input, without the words; waits with their time. */
function live(...inputs: readonly LifeInput[]): string[] {
  let life: Life = BORN;
  return inputs.map((input) => {
    const next = stepLife(life, input, TIMES);
    life = next.life;
    return next.actions
      .filter((action) => action.do !== 'say')
      .map((action) => (action.do === 'wait' ? `wait ${action.ms}` : action.do))
      .join(', ');
  });
}

const CASES: readonly (readonly [string, readonly LifeInput[], readonly string[]])[] = [
  [
    'the first Ctrl-C asks, the second quits, the third kills, every further one too',
    [ask, ask, ask, ask],
    ['powerdown, wait 60000', 'quit, wait 10000', 'kill', 'kill'],
  ],
  [
    'a person who does not insist is told, and nothing is forced',
    [ask, time, time],
    ['powerdown, wait 60000', '', ''],
  ],
  [
    'an order goes on by itself, with time for each',
    [order, time, time],
    ['powerdown, wait 60000', 'quit, wait 10000', 'kill'],
  ],
  ['a second order does not hurry', [order, order, time], ['powerdown, wait 60000', '', 'quit, wait 10000']],
  [
    'an order after a wish makes time insist',
    [ask, order, time],
    ['powerdown, wait 60000', '', 'quit, wait 10000'],
  ],
  [
    'QEMU that does not quit is killed in the end',
    [ask, ask, time],
    ['powerdown, wait 60000', 'quit, wait 10000', 'kill'],
  ],
  [
    'a guest that sleeps is woken, and asked until it is awake enough to hear it',
    [event('SUSPEND'), ask, event('WAKEUP'), time, time, event('SHUTDOWN')],
    ['', 'wake, wait 60000', 'wait 3000', 'powerdown, wait 3000', 'powerdown, wait 3000', ''],
  ],
  [
    'a guest that begins anew after it was asked is asked again',
    [ask, event('RESET', { guest: true }), time],
    ['powerdown, wait 60000', 'look after threads, wait 3000', 'powerdown, wait 3000'],
  ],
  [
    'one that was only woken to power off and does not is not asked for ever',
    [event('SUSPEND'), order, event('WAKEUP'), ...Array<LifeInput>(22).fill(time)],
    [
      ...['', 'wake, wait 60000', 'wait 3000'],
      ...Array<string>(20).fill('powerdown, wait 3000'),
      ...['quit, wait 10000', 'kill'],
    ],
  ],
  [
    'whoever insists does not wait for that',
    [event('SUSPEND'), ask, event('WAKEUP'), ask, time],
    ['', 'wake, wait 60000', 'wait 3000', 'quit, wait 10000', 'kill'],
  ],
  [
    'a guest that wakes up by itself is left alone',
    [event('SUSPEND'), event('WAKEUP'), ask],
    ['', '', 'powerdown, wait 60000'],
  ],
  [
    'a paused guest is let go before it is asked',
    [event('STOP'), ask],
    ['', 'continue, powerdown, wait 60000'],
  ],
  [
    'a guest that reboots has its threads looked after',
    [event('RESET', { guest: true }), ask],
    ['look after threads', 'powerdown, wait 60000'],
  ],
  ['time without a wish does nothing', [time], ['']],
  ['an event of a later QEMU does nothing', [event('SOMETHING', { new: 1 })], ['']],
];

for (const [name, inputs, wanted] of CASES) {
  test(`stepLife(): ${name}`, () => {
    assert.deepEqual(live(...inputs), wanted);
  });
}

test('phaseOf() takes a life up where QEMU says that the guest stands', () => {
  const asked = (status: string) =>
    stepLife({ ...BORN, phase: phaseOf(status) }, order, TIMES)
      .actions.flatMap((action) => (action.do === 'say' || action.do === 'wait' ? [] : [action.do]))
      .join(', ');
  assert.equal(asked('running'), 'powerdown');
  assert.equal(asked('suspended'), 'wake');
  assert.equal(asked('paused'), 'continue, powerdown');
  assert.equal(asked('io-error'), 'continue, powerdown');
  assert.equal(asked('a word of a later QEMU'), 'powerdown');
});

test('stepLife() kills only what was asked and told to quit before, whatever happens', () => {
  const any = fc.oneof(
    fc.constantFrom(ask, order, time),
    fc
      .constantFrom('RESET', 'SUSPEND', 'WAKEUP', 'STOP', 'RESUME', 'SHUTDOWN', 'X')
      .map((name) => event(name, { guest: true })),
  );
  fc.assert(
    fc.property(fc.array(any), (inputs) => {
      const done = live(...inputs).join(', ');
      const [asked, quit, kill] = [done.search(/powerdown|wake/), done.indexOf('quit'), done.indexOf('kill')];
      if (kill >= 0) assert.ok(quit >= 0 && quit < kill, done);
      if (quit >= 0) assert.ok(asked >= 0 && asked < quit, done);
      if (inputs.every((input) => input.is === 'event' || input === time))
        assert.doesNotMatch(done, /power|quit|kill/);
    }),
  );
});

test('stepLife() tells why a guest ends, a stranger’s words without control signs', () => {
  const said = (input: LifeInput) =>
    stepLife(BORN, input, TIMES).actions.flatMap((action) => (action.do === 'say' ? [action.line] : []));
  assert.deepEqual(said(event('SHUTDOWN', { reason: 'guest-shutdown' })), ['The guest has shut down']);
  assert.deepEqual(said(event('SHUTDOWN', { reason: 'constructor' })), ['The guest ends']);
  assert.deepEqual(
    said(event('BLOCK_IO_ERROR', { device: 'd\u001b[2J', operation: 7, reason: 'No space left' })),
    ['A disk of the guest fails: d [2J, ?: No space left'],
  );
});
