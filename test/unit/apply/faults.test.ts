import { test } from 'node:test';
import type { Plan } from '../../../lib/words/step.ts';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import {
  driverStep,
  dump,
  hostSteps,
  pagesStep,
  planOf,
  prepare,
  recover,
  release,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const ONE = planOf('one', [
  ...hostSteps('one'),
  pagesStep(0, 20),
  pagesStep(1, 30),
  driverStep('0000:04:00.1', null),
  driverStep('0000:04:00.0', 'vfio-pci'),
  driverStep('0000:01:00.0', 'vfio-pci'),
]);
const TWO = planOf('two', [
  ...hostSteps('two').slice(1),
  pagesStep(0, 15),
  pagesStep(1, 5),
  driverStep('0000:02:00.0', 'vfio-pci'),
]);
const CODES = ['EIO', 'ENODEV', 'EBUSY', 'ENOSPC'];

const PREPARE: Case = {
  name: 'prepare',
  build: () => wholeMachine(),
  act: async (host) => void (await prepare(host, ONE)),
  // Twice: what a first try could not put back, a second one does, and a third finds nothing to do
  mend: async (host) => {
    await release(host, 'one');
    await release(host.restart(), 'one');
  },
  dump,
};

test('prepare that is killed at any call is undone by release in a new process', async () => {
  await dieEverywhere(PREPARE);
});

test('prepare that is killed at any call is undone by recover in a new process', async () => {
  await dieEverywhere({ ...PREPARE, name: 'prepare, then recover', mend: recover });
});

test('prepare in which any call fails leaves the host as it was, at the latest after release', async () => {
  await failEverywhere(PREPARE, CODES);
});

/** A machine on which these guests are prepared, as a new process finds it. */
async function prepared(...plans: readonly Plan[]): Promise<FakeHost> {
  let host = wholeMachine();
  for (const plan of plans) {
    await prepare(host, plan);
    host = host.restart();
  }
  return host;
}

const untouched = () => dump(wholeMachine());

const RELEASE: Case = {
  ...PREPARE,
  name: 'release',
  build: () => prepared(ONE),
  act: (host) => release(host, 'one'),
  expected: untouched,
};

test('release that is killed at any call is finished by release in a new process', async () => {
  await dieEverywhere(RELEASE);
});

test('release in which any call fails is finished by the next one', async () => {
  await failEverywhere(RELEASE, CODES);
});

test('prepare of a second guest that dies or fails anywhere leaves the first one alone', async () => {
  const second: Case = {
    name: 'second guest',
    build: () => prepared(ONE),
    act: async (host) => void (await prepare(host, TWO)),
    mend: async (host) => {
      await release(host, 'two');
    },
    dump: (host) => dump(host).filter((line) => !line.includes('summary.json')),
  };
  await dieEverywhere(second);
  await failEverywhere(second, ['EIO']);
});

test('two guests whose releases die anywhere, in either order, give everything back', async () => {
  for (const [first, second] of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const) {
    await dieEverywhere({
      name: `${first} then ${second}`,
      build: () => prepared(ONE, TWO),
      act: (host) => release(host, first),
      mend: async (host) => {
        await release(host, second);
        await release(host.restart(), first);
      },
      dump,
      expected: untouched,
    });
  }
});
