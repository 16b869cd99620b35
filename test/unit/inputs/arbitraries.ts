import fc from 'fast-check';
import type { DeviceIdentity, DeviceRequest, DeviceSelector } from '../../../lib/inputs/profile.ts';
import { CLASS_NAMES } from '../../../lib/inputs/selector.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
const byAddress = (address: string): DeviceSelector => ({ by: 'address', address: address as PciAddress });
const id = fc.nat(0xffff).map((value) => value.toString(16).padStart(4, '0'));
const identity: fc.Arbitrary<DeviceIdentity> = fc.oneof(
  record({
    vendorId: id,
    deviceId: id,
    subsystemVendorId: fc.constant(null),
    subsystemId: fc.constant(null),
  }),
  record({ vendorId: id, deviceId: id, subsystemVendorId: id, subsystemId: id }),
);
const index = fc.option(fc.nat(65_535));
const hexPairs = (min: number, max: number) =>
  fc
    .array(fc.nat(255), { minLength: min, maxLength: max })
    .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')));

/** Any request, in the form that parsing gives. */
export const deviceRequest: fc.Arbitrary<Omit<DeviceRequest, 'label'>> = fc.oneof(
  record({
    selector: fc
      .tuple(fc.nat(0x1ffff), fc.nat(0xff), fc.nat(0x1f), fc.nat(7))
      .map(([domain, bus, slot, fn]) => [
        domain.toString(16).padStart(4, '0'),
        ...[bus, slot].map((n) => n.toString(16).padStart(2, '0')),
        fn,
      ])
      .map(([domain, bus, slot, fn]) => byAddress(`${domain}:${bus}:${slot}.${fn}`)),
    identity: fc.option(identity),
  }),
  fc
    .oneof<fc.Arbitrary<DeviceSelector>[]>(
      record({ by: fc.constant('identity' as const), identity, index }),
      record({
        by: fc.constant('class' as const),
        classPrefix: fc.oneof(
          hexPairs(1, 3).map((pairs) => pairs.join('')),
          fc.constantFrom(...Object.values(CLASS_NAMES)),
        ),
        index,
      }),
      record({ by: fc.constant('mac' as const), mac: hexPairs(6, 6).map((pairs) => pairs.join(':')) }),
      record({
        by: fc.constant('serial' as const),
        serial: fc
          .string({ unit: fc.constantFrom(...'ab1 -_#;"\'\\=[]{}üß'), minLength: 1, maxLength: 40 })
          .filter((text) => text === text.trim() && text !== ''),
      }),
    )
    .map((selector) => ({ selector, identity: null })),
);
