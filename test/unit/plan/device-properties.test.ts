import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isHarmlessInGroup } from '../../../lib/words/vfio-driver.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addPciDevice, driverOf, type PciSpec } from '../../fake/pci-model.ts';
import { heldBy, planOn } from './plan-on.ts';

const DRIVERS = [undefined, 'vfio-pci', 'pci-stub', 'e1000e', 'nvme', 'nvidia', 'snd_hda_intel'] as const;
const CLASSES = ['020000', '010802', '030000', '040300', '0c0330', '060400'] as const;

const functions = fc.array(
  fc.record({ group: fc.nat(5), driver: fc.constantFrom(...DRIVERS), class: fc.constantFrom(...CLASSES) }),
  { minLength: 1, maxLength: 24 },
);
const machines = functions.map((list) =>
  list.map((one, index): PciSpec => {
    const address = `0000:${(index >> 2).toString(16).padStart(2, '0')}:00.${index & 3}`;
    const bound = one.class === '060400' ? 'pcieport' : one.driver;
    const common = { address, vendor: '8086', device: '1', class: one.class, group: one.group };
    return bound === undefined ? common : { ...common, driver: bound };
  }),
);

/** A machine, which of its functions are wanted, which another guest holds, and what becomes of siblings. */
const worlds = machines.chain((specs) => {
  const addresses = specs.map(({ address }) => address);
  return fc.record({
    specs: fc.constant(specs),
    wanted: fc.subarray(addresses, { minLength: 1 }),
    held: fc.oneof(fc.constant<string[]>([]), fc.subarray(addresses)),
    siblings: fc.constantFrom('refuse' as const, 'park' as const),
  });
});

test('planDevices() touches only what was asked for and siblings it may park, or nothing at all', () => {
  let planned = 0;
  fc.assert(
    fc.property(worlds, ({ specs, wanted, held, siblings }) => {
      const host = new FakeHost();
      for (const spec of specs) addPciDevice(host, spec);
      const { steps, refusals } = planOn(host, {
        devices: Object.fromEntries(wanted.map((address) => [`d${address}`, address])),
        options: { siblings },
        held: held.map((address) => heldBy('other', address)),
      });
      if (refusals.length > 0) {
        assert.deepEqual(steps, []);
        return;
      }
      planned++;
      const moves = steps.filter((step) => step.kind === 'driver');
      const targets = new Map<string, string | null>(moves.map(({ address, driver }) => [address, driver]));
      assert.equal(targets.size, moves.length, 'each function once');
      const groupOf = new Map(specs.map(({ address, group }) => [address, group]));
      const touched = new Set(wanted.map((address) => groupOf.get(address)));
      for (const [address, driver] of targets) {
        if (wanted.includes(address)) assert.equal(driver, 'vfio-pci');
        else assert.deepEqual([siblings, driver, touched.has(groupOf.get(address))], ['park', null, true]);
        assert.equal(held.includes(address), false, `${address} belongs to the other guest`);
      }
      for (const address of wanted) assert.ok(targets.has(address), `${address} was asked for`);
      // What is left of the touched groups can be opened as a whole
      for (const { address, group, class: classCode } of specs.filter((spec) => touched.has(spec.group))) {
        const driver = targets.has(address) ? targets.get(address)! : driverOf(host, address);
        assert.ok(isHarmlessInGroup(driver) || classCode === '060400', `${address} in group ${group} blocks`);
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(planned > 20, `only ${planned} of the random machines could be planned: the test says little`);
});

/** A machine of n two-function cards, each a group of its own. */
function largeMachine(cards: number): { host: FakeHost; addresses: string[] } {
  const host = new FakeHost();
  const addresses: string[] = [];
  for (let card = 0; card < cards; card++) {
    const slot = `${(card >> 8).toString(16).padStart(4, '0')}:${(card & 0xff).toString(16).padStart(2, '0')}:00`;
    for (const [index, driver] of ['nouveau', 'snd_hda_intel'].entries()) {
      const address = `${slot}.${index}`;
      const classCode = index === 0 ? '030000' : '040300';
      addPciDevice(host, { address, vendor: '10de', device: '2684', class: classCode, group: card, driver });
      addresses.push(address);
    }
  }
  return { host, addresses };
}

function callsFor(cards: number, wanted: number): number {
  const { host, addresses } = largeMachine(cards);
  const devices = Object.fromEntries(addresses.slice(0, wanted).map((address) => [address, address]));
  const { refusals } = planOn(host, { devices });
  assert.deepEqual(refusals, []);
  return host.calls.length;
}

test('readDevicePicture() does not look at functions that nobody asked about', () => {
  assert.equal(callsFor(512, 2), callsFor(8, 2));
});

test('readDevicePicture() and planDevices() grow no faster than the functions asked for', () => {
  const [small, large] = [callsFor(16, 32), callsFor(256, 512)];
  assert.ok(large <= small * 16, `${small} host calls for 32 functions, ${large} for 512`);
  const timeOf = (cards: number) => {
    const { host, addresses } = largeMachine(cards);
    const devices = Object.fromEntries(addresses.map((address) => [address, address]));
    planOn(host, { devices });
    const before = performance.now();
    planOn(host, { devices });
    return performance.now() - before;
  };
  timeOf(16);
  const [few, many] = [timeOf(64), timeOf(1024)];
  // 16 times the functions; quadratic work would take 256 times as long
  assert.ok(many < Math.max(few, 1) * 64, `${few} ms for 128 functions, ${many} ms for 2048`);
});
