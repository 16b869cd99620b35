import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Case, dieEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { modelOf } from '../../fake/pci-machine.ts';
import { driverOf, failProbe } from '../../fake/pci-model.ts';
import { driverStep, dump, planOf, prepare, release, wholeMachine } from '../../fake/whole-machine.ts';

const GPU = '0000:04:00.0';
const PATH = '/sys/devices/pci0000:04/0000:04:00.0';

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
  await prepare(host, planOf('one', [driverStep(GPU, 'vfio-pci')]));
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

test('a graphics card that does not come back is told, and kept for the next release', async () => {
  const host = await taken('never');
  await assert.rejects(release(host, 'one'), /Cannot bind 0000:04:00.0 to nouveau/);
  modelOf(host).failing.clear();
  const next = host.restart();
  await release(next, 'one');
  assert.equal(driverOf(next, GPU), 'nouveau');
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
