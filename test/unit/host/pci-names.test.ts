import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPciNames } from '../../../lib/host/pci-names.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const LIST = `# comment
1af4  Red Hat, Inc.
\t1041  Virtio 1.0 network device
\t\t1af4 1100  A machine of QEMU
\t1042  Virtio 1.0 block device
8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
\t\t103c 1985  Ethernet I210-T1 GbE NIC
C 02  Network controller
\t00  Ethernet controller
`;

test('readPciNames() gives vendor and device, the vendor alone, or null', () => {
  const host = new FakeHost();
  host.put('/usr/share/misc/pci.ids', LIST);
  const ids = ['8086:10d3', '8086:ffff', '1af4:1042', '103c:1985', 'c 02:0000', 'ffff:0001'];
  const functions = ids.map((text) => ({ vendorId: text.split(':')[0]!, deviceId: text.split(':')[1]! }));
  const names = readPciNames(host, functions);
  assert.deepEqual(functions.map(names), [
    'Intel Corporation 82574L Gigabit Network Connection',
    'Intel Corporation',
    'Red Hat, Inc. Virtio 1.0 block device',
    null,
    null,
    null,
  ]);
  assert.equal(names({ vendorId: null, deviceId: null }), null);
});

test('readPciNames() finds the list where Fedora has it, and lives without any', () => {
  const fedora = new FakeHost();
  fedora.put('/usr/share/hwdata/pci.ids', LIST);
  const fn = { vendorId: '8086', deviceId: '10d3' };
  assert.equal(readPciNames(fedora, [fn])(fn), 'Intel Corporation 82574L Gigabit Network Connection');
  assert.equal(readPciNames(new FakeHost(), [fn])(fn), null);
});
