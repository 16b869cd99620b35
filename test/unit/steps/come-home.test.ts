import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driverKind } from '../../../lib/steps/driver.ts';
import type { StepOf } from '../../../lib/words/step.ts';
import { type Case, dieEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { attach, modelOf } from '../../fake/pci-machine.ts';
import { driverOf, failProbe } from '../../fake/pci-model.ts';
import {
  driverStep,
  dump,
  planOf,
  prepare,
  release,
  SILENT,
  wholeMachine,
} from '../../fake/whole-machine.ts';

const GPU = '0000:04:00.0';
const PATH = '/sys/devices/pci0000:04/0000:04:00.0';

/** Longer than the kernel takes on a machine that has time, shorter than the deadline of the step. */
const SLOW_MS = 12_000;

/** A card that nouveau does not take again until it has been `mended` by a reset, or by being removed and found anew. */
function stubborn(mended: 'reset' | 'rescan' | 'never'): FakeHost {
  return wholeMachine((host) => {
    const heal = (how: string) => {
      if (how === mended) modelOf(host).failing.delete(`${GPU} nouveau`);
    };
    host.put(`${PATH}/remove`, '', 0o200);
    host.onWrite(`${PATH}/reset`, () => heal('reset'));
    host.onWrite(`${PATH}/remove`, (_path, _text, machine) => {
      const node = machine.tree.get(PATH);
      if (node === null) return;
      removed = node;
      machine.drop(PATH);
    });
    let removed: ReturnType<FakeHost['tree']['get']> = null;
    host.onWrite('/sys/bus/pci/rescan', (_path, _text, machine) => {
      if (removed === null) return;
      machine.tree.set(PATH, removed);
      removed = null;
      machine.put(`${PATH}/driver_override`, '(null)\n');
      heal('rescan');
    });
  });
}

async function taken(mended: 'reset' | 'rescan' | 'never'): Promise<FakeHost> {
  const host = stubborn(mended);
  const step = driverStep(GPU, 'vfio-pci') as StepOf<'driver'>;
  await prepare(host, planOf('one', [{ ...step, deadlineMs: 20_000 }]));
  failProbe(host, GPU, 'nouveau');
  return host.restart();
}

for (const mended of ['reset', 'rescan'] as const) {
  test(`a graphics card that comes back only after a ${mended} comes back`, async () => {
    const host = await taken(mended);
    await release(host, 'one');
    assert.equal(driverOf(host, GPU), 'nouveau');
    assert.deepEqual(dump(host), dump(stubborn(mended)));
  });
}

test('a way to reset that the kernel no longer shows for a card is told', async () => {
  const host = wholeMachine((machine) => machine.put(`${PATH}/reset_method`, 'bus\n'));
  await prepare(host, planOf('one', [driverStep(GPU, 'vfio-pci')]));
  const next = host.restart();
  next.drop(`${PATH}/reset_method`);
  const notes: string[] = [];
  await release(next, 'one', undefined, { ...SILENT, note: (line) => notes.push(line) });
  assert.deepEqual(notes, [`${GPU} has no reset_method any more: it was bus`]);
});

test('a bind says how the function will be reset, and how large its BARs will be', () => {
  const step = driverStep(GPU, 'vfio-pci') as StepOf<'driver'>;
  assert.equal(driverKind.describe(step), `bind ${GPU} to vfio-pci`);
  assert.equal(
    driverKind.describe({ ...step, resetMethod: 'flr bus', barSizes: { 0: 256 } }),
    `bind ${GPU} to vfio-pci, to be reset by flr, bus, BAR 0 of 256 MiB`,
  );
});

test('a graphics card that does not come back is told, and kept for the next release', async () => {
  const host = await taken('never');
  await assert.rejects(release(host, 'one'), /Cannot bind 0000:04:00.0 to nouveau/);
  modelOf(host).failing.clear();
  const next = host.restart();
  await release(next, 'one');
  assert.equal(driverOf(next, GPU), 'nouveau');
});

test('a driver that is only slow is waited for, and its card is not reset', async () => {
  const host = await taken('never');
  const begun = host.clock;
  const sleep = host.sleep.bind(host);
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.clock < begun + SLOW_MS || driverOf(host, GPU) !== null) return;
    attach(host, GPU, 'nouveau');
  };
  await release(host, 'one');
  assert.equal(driverOf(host, GPU), 'nouveau');
  assert.equal(
    host.calls.some((call) => call.includes(`${GPU}/reset =`)),
    false,
  );
});

test('a release that is killed between removing the card and finding it anew is finished by the next', async () => {
  const one: Case = {
    name: 'rescan',
    build: () => taken('rescan'),
    act: (host) => release(host, 'one'),
    mend: (host) => release(host, 'one'),
    dump,
    expected: () => dump(stubborn('rescan')),
  };
  await dieEverywhere(one);
});
