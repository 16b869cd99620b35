import assert from 'node:assert/strict';
import test from 'node:test';
import { extendGuest, shrinkGuest } from '../../../lib/apply/extend.ts';
import type { Plan, Step } from '../../../lib/words/step.ts';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import {
  driverStep,
  dump,
  planOf,
  prepare,
  recover,
  release,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const STATE = '/run/passqemu';
const SILENT = { step: () => {}, note: () => {} };
const CODES = ['EIO', 'EBUSY', 'ENOSPC'];
const NODE = '/dev/input/event7';

const nodeStep = (path = NODE): Step => ({
  kind: 'node',
  path,
  uid: 1000,
  gid: 1000,
  target: path,
  from: '0',
  to: '1000',
});
const BASE: Plan = planOf('one', [driverStep('0000:01:00.0', 'vfio-pci')]);
const MORE = [driverStep('0000:02:00.0', 'vfio-pci'), nodeStep()];

const machine = () => wholeMachine().putDevice(NODE, 'character', '13:71');

const extend = (host: FakeHost, steps: Plan['steps'] = MORE) =>
  extendGuest(
    host,
    {
      stateDir: STATE,
      guest: 'one',
      owner: { kind: 'person' },
      version: '0',
      lockWaitMs: 10,
      plan: () => steps,
      interrupted: () => null,
    },
    SILENT,
  );
const shrink = (host: FakeHost, isMeant: (step: Step) => boolean = () => true) =>
  shrinkGuest(host, { stateDir: STATE, guest: 'one', lockWaitMs: 10 }, isMeant, SILENT);

/** A machine on which the guest holds its first function. */
async function prepared(): Promise<FakeHost> {
  const host = machine();
  await prepare(host, BASE);
  return host.restart();
}

test('extendGuest() takes more, shrinkGuest() gives just that back', async () => {
  const host = await prepared();
  const before = dump(host);
  await extend(host);
  assert.deepEqual(host.stat(NODE)?.uid, 1000);
  assert.equal(host.linkName('/sys/bus/pci/devices/0000:02:00.0/driver'), 'vfio-pci');
  const next = host.restart();
  const isFirst = (step: Step) => step.kind === 'driver' && step.address === '0000:01:00.0';
  assert.equal(await shrink(next, (step) => !isFirst(step)), 'given back');
  assert.equal(await shrink(next.restart(), (step) => step.kind === 'node'), 'nothing held');
  assert.deepEqual(withoutJournals(dump(next)), withoutJournals(before));
  await release(next.restart(), 'one');
  assert.deepEqual(dump(next), dump(machine()));
});

test('extendGuest() of a guest that holds nothing makes a journal, and the last thing given back removes it', async () => {
  const host = machine();
  await extend(host);
  const next = host.restart();
  assert.equal(await shrink(next), 'given back');
  assert.deepEqual(dump(next), dump(machine()));
});

const withoutJournals = (lines: readonly string[]) =>
  lines.filter((line) => !line.includes('/run/passqemu/'));

test('an attach that dies at any call is undone by release, one that fails leaves what was held before', async () => {
  const attach: Case = {
    name: 'attach',
    build: prepared,
    act: (host) => extend(host),
    mend: async (host) => {
      await release(host, 'one');
    },
    dump,
    expected: () => dump(machine()),
  };
  await dieEverywhere(attach);
  await failEverywhere(attach, CODES);
});

test('a failing attach leaves the first function with the guest', async () => {
  const host = await prepared();
  await assert.rejects(extend(host, [...MORE, driverStep('0000:99:00.0', 'vfio-pci')]));
  assert.equal(host.linkName('/sys/bus/pci/devices/0000:01:00.0/driver'), 'vfio-pci');
  assert.notEqual(host.linkName('/sys/bus/pci/devices/0000:02:00.0/driver'), 'vfio-pci');
  assert.equal(host.stat(NODE)?.uid, 0);
});

test('an attach of a guest that holds nothing dies or fails anywhere: recover or release gives all back', async () => {
  const alone: Case = {
    name: 'attach alone',
    build: machine,
    act: (host) => extend(host),
    mend: async (host) => {
      await recover(host);
      await release(host.restart(), 'one');
    },
    dump,
  };
  await dieEverywhere(alone);
  await failEverywhere(alone, CODES);
});

test('a detach that dies or fails at any call is finished by release', async () => {
  const detach: Case = {
    name: 'detach',
    build: async () => {
      const host = await prepared();
      await extend(host);
      return host.restart();
    },
    act: async (host) =>
      void (await shrink(
        host,
        (step) => step.kind === 'node' || ('address' in step && step.address === '0000:02:00.0'),
      )),
    mend: async (host) => {
      await release(host, 'one');
    },
    dump,
    expected: () => dump(machine()),
  };
  await dieEverywhere(detach);
  await failEverywhere(detach, CODES);
});

test('a node that is another device by now, or somebody else’s, is left alone', async () => {
  const host = machine();
  await extend(host, [nodeStep()]);
  host.putDevice(NODE, 'character', '13:72');
  await shrink(host.restart());
  const notes: string[] = [];
  const other = machine();
  await extend(other, [nodeStep()]);
  other.changeOwner(NODE, 7, 7);
  const report = { step: () => {}, note: (line: string) => void notes.push(line) };
  await shrinkGuest(other.restart(), { stateDir: STATE, guest: 'one', lockWaitMs: 10 }, () => true, report);
  assert.equal(other.stat(NODE)?.uid, 7);
  assert.match(notes.join(), /belongs to user 7 now/);
  await assert.rejects(extend(machine(), [nodeStep('/dev/nothing')]), /is no device node/);
});
