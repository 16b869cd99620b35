import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceIdentity, DeviceSelector } from '../../../lib/inputs/profile.ts';
import { formatDeviceRequest, parseDeviceRequest, parseIdentity } from '../../../lib/inputs/selector.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import { deviceRequest } from './arbitraries.ts';

const card = { vendorId: '10de', deviceId: '2684', subsystemVendorId: null, subsystemId: null };
const board = { ...card, subsystemVendorId: '1458', subsystemId: '40bf' };
const at = (address: string): DeviceSelector => ({ by: 'address', address: address as PciAddress });

const REQUESTS: readonly [string, DeviceSelector, DeviceIdentity | null][] = [
  ['0000:01:00.0', at('0000:01:00.0'), null],
  ['01:00.0', at('0000:01:00.0'), null],
  ['1:0.7', at('0000:01:00.7'), null],
  ['10000:E1:1F.0', at('10000:e1:1f.0'), null],
  [' 0000:01:00.0   10DE:2684 ', at('0000:01:00.0'), card],
  ['01:00.0 10de:2684:1458:40bf', at('0000:01:00.0'), board],
  ['10de:2684', { by: 'identity', identity: card, index: null }, null],
  ['10DE:2684:1458:40BF', { by: 'identity', identity: board, index: null }, null],
  ['10de:2684 index 1', { by: 'identity', identity: card, index: 1 }, null],
  ['10de:2684 INDEX 0', { by: 'identity', identity: card, index: 0 }, null],
  ['gpu', { by: 'class', classPrefix: '03', index: null }, null],
  ['Nvme index 3', { by: 'class', classPrefix: '0108', index: 3 }, null],
  ['nic', { by: 'class', classPrefix: '02', index: null }, null],
  ['usb', { by: 'class', classPrefix: '0c03', index: null }, null],
  ['audio', { by: 'class', classPrefix: '0403', index: null }, null],
  ['class 0C03', { by: 'class', classPrefix: '0c03', index: null }, null],
  ['class 030000 index 1', { by: 'class', classPrefix: '030000', index: 1 }, null],
  ['class 03', { by: 'class', classPrefix: '03', index: null }, null],
  ['mac 52:54:00:AB:cd:ef', { by: 'mac', mac: '52:54:00:ab:cd:ef' }, null],
  ['mac 52-54-00-ab-cd-ef', { by: 'mac', mac: '52:54:00:ab:cd:ef' }, null],
  ['serial  S4EV NX0M#1; ', { by: 'serial', serial: 'S4EV NX0M#1;' }, null],
];
for (const [text, selector, identity] of REQUESTS) {
  test(`parseDeviceRequest() of ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseDeviceRequest('card', text), { label: 'card', selector, identity });
  });
}

const PROBLEMS: readonly [string, string][] = [
  ['', 'is "", must name a function'],
  ['the gpu', 'is "the gpu", must name a function'],
  ['01:20.0', 'is "01:20.0", must name a function'],
  ['01:00.8', 'is "01:00.8", must name a function'],
  ['10de:268', 'is "10de:268", must name a function'],
  ['10de:2684:1458', 'is "10de:2684:1458", must name a function'],
  ['constructor', 'is "constructor", must name a function'],
  [
    '01:00.0 10de',
    'has "10de" after the address, must be vendor:device or vendor:device:subvendor:subdevice',
  ],
  [
    '01:00.0 10de:2684 x',
    'has "10de:2684 x" after the address, must be vendor:device or vendor:device:subvendor:subdevice',
  ],
  [
    '01:00.0 index 1',
    'has "index 1" after the address, must be vendor:device or vendor:device:subvendor:subdevice',
  ],
  ['10de:2684 #1', 'has "#1" at its end, must be "index" and a number from 0'],
  ['10de:2684 index', 'has "index" at its end, must be "index" and a number from 0'],
  ['10de:2684 index -1', 'has "index -1" at its end, must be "index" and a number from 0'],
  ['10de:2684 index 65536', 'has "index 65536" at its end, must be "index" and a number from 0'],
  ['gpu index 1 2', 'has "index 1 2" at its end, must be "index" and a number from 0'],
  ['class', 'has the class "", must be 2, 4 or 6 hexadecimal digits such as 0300'],
  ['class 030', 'has the class "030", must be 2, 4 or 6 hexadecimal digits such as 0300'],
  ['class 0x0300', 'has the class "0x0300", must be 2, 4 or 6 hexadecimal digits such as 0300'],
  [
    'mac 52:54:00:12:34',
    'has the MAC "52:54:00:12:34", must be six pairs of digits such as 52:54:00:12:34:56',
  ],
  ['mac', 'has the MAC "", must be six pairs of digits such as 52:54:00:12:34:56'],
  ['serial', 'has the serial number "", must be 1 to 128 visible signs'],
  ['serial a\u0007b', 'has the serial number "a\\u0007b", must be 1 to 128 visible signs'],
];
for (const [text, problem] of PROBLEMS) {
  test(`parseDeviceRequest() refuses ${JSON.stringify(text)}`, () => {
    const message = `Cannot read device "my card": it ${problem}`;
    assert.throws(() => parseDeviceRequest('my card', text), { name: 'ProfileError', message });
  });
}

test('parseDeviceRequest() reads back what formatDeviceRequest() writes', () => {
  fc.assert(
    fc.property(deviceRequest, (request) => {
      assert.deepEqual(parseDeviceRequest('x', formatDeviceRequest(request)), { label: 'x', ...request });
    }),
    { numRuns: 1000 },
  );
});

test('parseIdentity() takes ids of four digits only', () => {
  assert.deepEqual(parseIdentity('10DE:2684'), card);
  assert.deepEqual(parseIdentity('10de:2684:1458:40bf'), board);
  assert.deepEqual(['10de', '10de:268', '10de:2684:1458', '10de:26845', '10de:2684\n'].map(parseIdentity), [
    null,
    null,
    null,
    null,
    null,
  ]);
});
