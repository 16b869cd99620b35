import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatWatchOrder, parseWatchOrder, type WatchOrder } from '../../../lib/inputs/watch-order.ts';
import { pciAddress } from '../../../lib/words/pci-address.ts';

const cpus = fc.option(
  fc.uniqueArray(fc.nat(300), { minLength: 1 }).map((list) => list.sort((a, b) => a - b)),
  { nil: null },
);
const order: fc.Arbitrary<WatchOrder> = fc.record(
  {
    guest: fc.string({ minLength: 1 }),
    uuid: fc.option(fc.uuid(), { nil: null }),
    interruptCpus: cpus,
    keepEmulatorOff: cpus,
    addresses: fc.array(
      fc.tuple(fc.nat(255), fc.nat(31), fc.nat(7)).map(([bus, slot, fn]) => pciAddress(0, bus, slot, fn)!),
    ),
  },
  { noNullPrototype: true },
);

test('parseWatchOrder() reads back what formatWatchOrder() writes', () => {
  fc.assert(fc.property(order, (one) => assert.deepEqual(parseWatchOrder(formatWatchOrder(one)), one)));
});

for (const argv of [
  [],
  ['win', 'prepare', 'begin', '-'],
  ['win', 'watch'],
  ['win', 'watch', '-', '', '-'],
  ['win', 'watch', '-', '2-x', '-'],
  ['win', 'watch', '-', '2', '-', '../../etc'],
  ['', 'watch', '-', '2', '-'],
]) {
  test(`parseWatchOrder() takes ${JSON.stringify(argv)} for no order`, () => {
    assert.equal(parseWatchOrder(argv), null);
  });
}
