import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readState } from '../../../lib/apply/journal.ts';
import { wedgedFunctions } from '../../../lib/apply/wedged.ts';
import { readDevicePicture } from '../../../lib/host/read-device-picture.ts';
import { ReleaseError } from '../../../lib/words/errors.ts';
import { Died, type FakeHost } from '../../fake/fake-host.ts';
import { driverOf, pci } from '../../fake/pci-model.ts';
import {
  driverStep,
  dump,
  hostSteps,
  planOf,
  prepare,
  recover,
  release,
  STATE,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const NIC = '0000:01:00.0';
const FOLDER = `/sys/devices/pci0000:01/${NIC}`;
const PLAN = planOf('win', [
  ...hostSteps('win'),
  driverStep('0000:02:00.0', 'vfio-pci'),
  driverStep(NIC, 'vfio-pci'),
]);
const person = { kind: 'person' } as const;
const names = (host: FakeHost) => readState(host, STATE).journals.map(({ header }) => header.guest);

/** A machine whose NIC's driver hangs when it shall go: the kernel takes the driver link away before it calls the driver. */
function hangingMachine(): FakeHost {
  const host = wholeMachine();
  return host.setStuck(`/sys/bus/pci/devices/${NIC}/driver/unbind`, () => host.drop(`${FOLDER}/driver`));
}

test('an unbind that hangs is told from one that somebody else has done, though the driver link is gone in both', async () => {
  const host = hangingMachine();
  await assert.rejects(
    prepare(host, PLAN),
    (error) => error instanceof ReleaseError && /has not answered/.test(error.message),
  );
  const journal = readState(host.restart(), STATE).journals[0]!;
  const left = journal.entries.filter(({ undone }) => !undone);
  assert.deepEqual(
    left.map(({ step, wedged }) => [step.target, wedged !== undefined]),
    [[NIC, true]],
  );
  assert.equal(driverOf(host, '0000:02:00.0'), 'e1000e');
});

test('a function with an unanswered write is not asked for what the kernel shows under the device lock only', async () => {
  const host = hangingMachine();
  await assert.rejects(prepare(host, PLAN));
  const { journals } = readState(host, STATE);
  const wedged = wedgedFunctions(host, journals);
  assert.deepEqual([...wedged], [NIC]);
  const begun = host.calls.length;
  const request = { label: 'nic', selector: { by: 'address', address: pci(NIC) }, identity: null } as const;
  const { functions } = readDevicePicture(host, [request], [], wedged);
  assert.equal(functions.get(pci(NIC))?.vendorId, '8086');
  const asked = host.calls.slice(begun).filter((call) => /(driver_override|sriov_numvfs)$/.test(call));
  assert.deepEqual(asked, []);
  // The write has come back: its process is gone
  host.endProcess(
    journals[0]!.writers.find(({ pid }) => pid === journals[0]!.entries.at(-1)!.wedged!.writer.pid)!.pid,
  );
  assert.deepEqual([...wedgedFunctions(host, journals)], []);
});

test('other guests do not wait for a write that is known not to come back', async () => {
  const host = hangingMachine();
  await assert.rejects(prepare(host, PLAN));
  const other = host.restart();
  const begun = other.now();
  await prepare(other, planOf('other', [driverStep('0000:02:00.0', 'vfio-pci')]));
  assert.equal(other.now() - begun, 0);
});

test('recover completes the release of a guest prepared by hand that has failed in part', async () => {
  const host = wholeMachine();
  const before = dump(host);
  await prepare(host, PLAN, person);
  let fails = true;
  host.onRun('/usr/local/bin/mark', (argv, machine) => {
    if (fails) return { status: 1 };
    machine.put('/srv/mark', `${argv[1]}\n`);
    return {};
  });
  await assert.rejects(release(host.restart(), 'win'), ReleaseError);
  assert.deepEqual(names(host), ['win']);
  fails = false;
  await recover(host.restart());
  assert.deepEqual(dump(host), before);
});

test('recover completes the release of a guest prepared by hand that was killed, wherever that was', async () => {
  for (let at = 1; ; at++) {
    const host = wholeMachine();
    const before = dump(host);
    await prepare(host, PLAN, person);
    const killed = host.restart();
    killed.fault = { at, how: 'die' };
    const died = await release(killed, 'win').then(
      () => false,
      (error) => {
        assert.ok(error instanceof Died);
        return true;
      },
    );
    if (!died) {
      assert.ok(at > 20);
      return;
    }
    const changed = killed.calls.some((call) => /^(write|run|signal)/.test(call));
    await recover(host.restart());
    if (changed) assert.deepEqual(dump(host), before, `killed at call ${at} (${killed.calls.at(-1)})`);
  }
});
