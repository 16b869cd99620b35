import { test } from 'node:test';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
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
    await release(host, 'one');
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

const RELEASE: Case = {
  ...PREPARE,
  name: 'release',
  build: () => wholeMachine(),
  act: async (host) => {
    const fault = host.fault;
    host.fault = null;
    await prepare(host, ONE);
    host.calls.length = 0;
    host.fault = fault;
    await release(host, 'one');
  },
};

test('release that is killed at any call is finished by release in a new process', async () => {
  await dieEverywhere(RELEASE);
});

test('release in which any call fails is finished by the next one', async () => {
  await failEverywhere(RELEASE, CODES);
});

test('prepare of a second guest that dies anywhere leaves the first one alone', async () => {
  await dieEverywhere({
    name: 'second guest',
    build: () => wholeMachine(),
    act: async (host) => {
      const fault = host.fault;
      host.fault = null;
      await prepare(host, ONE);
      host.calls.length = 0;
      host.fault = fault;
      await prepare(host, TWO);
    },
    mend: async (host) => {
      await release(host, 'two');
      await release(host, 'one');
    },
    dump,
  });
});

test('two guests whose releases die anywhere, in either order, give everything back', async () => {
  for (const [first, second] of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const) {
    await dieEverywhere({
      name: `${first} then ${second}`,
      build: () => wholeMachine(),
      act: async (host) => {
        const fault = host.fault;
        host.fault = null;
        await prepare(host, ONE);
        await prepare(host, TWO);
        host.calls.length = 0;
        host.fault = fault;
        await release(host, first);
      },
      mend: async (host) => {
        await release(host, second);
        await release(host, first);
      },
      dump,
    });
  }
});
