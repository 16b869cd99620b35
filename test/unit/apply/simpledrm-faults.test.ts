import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStep } from '../../../lib/steps/registry.ts';
import { type Case, dieEverywhere, failEverywhere } from '../../fake/crash.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { HAD_VFIO, planSimpledrm, simpledrmMachine } from '../../fake/simpledrm-machine.ts';
import { dump, prepare, recover, release } from '../../fake/whole-machine.ts';

/** The picture is back, or VFIO has had the card: then the kernel has deleted it, and only a boot brings it back. */
function pictureOf(host: FakeHost): string {
  const isBound = host.peekLink('/sys/bus/platform/devices/simple-framebuffer.0/driver') !== null;
  const hasConsoles = host.peek('/sys/class/vtconsole/vtcon1/bind') === '1\n';
  if (host.peek(HAD_VFIO) === null) return isBound && hasConsoles ? 'as it can be' : 'lost';
  return isBound ? 'both' : 'as it can be';
}

const OF_THE_PICTURE = /simple-framebuffer|vtcon1|^\/dev\/(?:dri|fb0)|^\/proc\/iomem|^\/srv\/had-vfio/;

const THERE: Case = {
  name: 'hand-over from simpledrm',
  build: simpledrmMachine,
  act: async (host) => void (await prepare(host, planSimpledrm(host))),
  mend: async (host) => {
    await release(host, 'one');
    await release(host.restart(), 'one');
  },
  dump: (host) => [...dump(host).filter((line) => !OF_THE_PICTURE.test(line)), `picture: ${pictureOf(host)}`],
};
const BACK: Case = {
  ...THERE,
  name: 'back from VFIO, without simpledrm',
  build: async () => {
    const host = simpledrmMachine();
    await prepare(host, planSimpledrm(host));
    return host.restart();
  },
  act: (host) => release(host, 'one'),
  expected: () => THERE.dump(simpledrmMachine()),
};
const CHANGES = /^(?:write|writeSlowly|run|startWriter|overwrite|createFile) /;

test('simpledrm’s picture is taken off the card in order, and told to be gone afterwards', () => {
  const { steps, notes } = planSimpledrm(simpledrmMachine());
  assert.deepEqual(
    steps.map((step) => describeStep(step)),
    [
      'hold off sleep',
      'stop gdm.service',
      'take the text consoles off (M) frame buffer device',
      'unbind simple-framebuffer.0 from simple-framebuffer',
      'load the module vfio_iommu_type1',
      'bind 0000:00:02.0 to vfio-pci',
      'bind 0000:04:00.0 to vfio-pci',
    ],
  );
  assert.deepEqual(notes.slice(0, 1), [
    '0000:00:02.0: no driver has it, a screen is on Unknown-1, the text consoles can be on fb0 (simpledrmdrmfb)',
  ]);
  assert.ok(notes.some((note) => /^simple-framebuffer\.0 .* gone until the next boot/.test(note)));
});

test('a hand-over from simpledrm that is killed at any call is undone by release, and by recover', async () => {
  await dieEverywhere(THERE);
  await dieEverywhere({ ...THERE, mend: recover });
});

test('a hand-over from simpledrm in which any call fails is undone', async () => {
  await failEverywhere(THERE, ['EIO', 'ENODEV', 'EBUSY'], CHANGES);
});

test('taking a card back that simpledrm had, killed or failing at any call, is finished by the next release', async () => {
  await dieEverywhere(BACK);
  await failEverywhere(BACK, ['EIO', 'ENODEV', 'EBUSY'], CHANGES);
});
