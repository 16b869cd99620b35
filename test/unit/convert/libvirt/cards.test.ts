import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportDomain } from '../../../../lib/convert/libvirt/export.ts';
import { importDomain } from '../../../../lib/convert/libvirt/import.ts';
import { PLACES } from '../any-profile.ts';
import { NO_HOST, USUAL_UUID } from '../samples.ts';

/** What a profile with these functions becomes: the guest's places in the domain, what was dropped, the profile that comes back. */
function through(labels: readonly string[], rest: string) {
  const devices = labels.map((label) => `${label} = ${PLACES.get(label)}`).join('\n');
  const out = exportDomain({
    guest: 'g',
    path: '/g.ini',
    uuid: USUAL_UUID,
    text: `[devices]\n${devices}\n${rest}`,
    functions: new Map(labels.map((label) => [label, PLACES.get(label)!])),
  });
  const places = [...out.xml.matchAll(/<hostdev[\s\S]*?<\/hostdev>/g)].map(([hostdev]) => {
    const [, bus, slot, number] = /<address type='pci'.*bus='(\w+)' slot='(\w+)' function='(\w+)'/.exec(
      hostdev,
    )!;
    return [Number(bus), Number(slot), Number(number)];
  });
  const dropped = out.dropped.map(({ what }) => what);
  return { places, dropped, profile: importDomain(out.xml, NO_HOST).profile };
}

test('functions that are no card, one number twice and none of them 0, are numbered, and it is said', () => {
  const { places, dropped } = through(
    ['sound', 'nic'],
    '[device sound]\nfunction = 1\nwith = nic\n[device nic]\nfunction = 1\n',
  );
  assert.deepEqual(places, [
    [1, 0, 0],
    [1, 0, 1],
  ]);
  assert.ok(dropped.includes('[device sound] function'), dropped.join());
});

test('a number that makes two functions of the host’s number 0 one card comes back', () => {
  const { profile } = through(['gpu', 'nic'], '[device nic]\nfunction = 1\nwith = gpu\n');
  assert.match(profile, /\[device nic\][^[]*function = 1/);
});

test('a card without a slot of its own does not get one that another asks for', () => {
  const { places } = through(['gpu', 'sound', 'nic'], '[machine]\ntype = i440fx\n[device nic]\nslot = 16\n');
  assert.deepEqual(places, [
    [0, 17, 0],
    [0, 17, 1],
    [0, 16, 0],
  ]);
});

test('whatever is with a function that is with its own card is listed', () => {
  const { dropped } = through(
    ['gpu', 'sound', 'nic'],
    '[device gpu]\nwith = nic\n[device sound]\nwith = nic\n',
  );
  assert.ok(dropped.includes('[device gpu] with') && dropped.includes('[device sound] with'), dropped.join());
});
