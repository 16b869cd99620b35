import assert from 'node:assert/strict';
import test from 'node:test';
import {
  findFreePort,
  findUsbDevice,
  findVfioId,
  hotplugId,
  parseHotplugTarget,
  readProcessUser,
} from '../../../lib/run/hotplug.ts';
import { QmpClient } from '../../../lib/run/qmp-client.ts';
import { sparePorts } from '../../../lib/run/run-guest.ts';
import { parsePciAddress } from '../../../lib/words/pci-address.ts';
import { fakeQemu } from '../../fake/fake-connection.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const TARGETS: readonly (readonly [string, unknown, string])[] = [
  ['0000:01:00.0', { is: 'pci', address: '0000:01:00.0' }, 'hot-pci-0000-01-00-0'],
  ['01:00.1', { is: 'pci', address: '0000:01:00.1' }, 'hot-pci-0000-01-00-1'],
  ['046D:c52b', { is: 'usb', vendorId: '046d', productId: 'c52b' }, 'hot-usb-046d-c52b'],
  ['1-2.3', { is: 'usb-port', port: '1-2.3' }, 'hot-usb-port-1-2-3'],
];

for (const [text, target, id] of TARGETS) {
  test(`parseHotplugTarget() reads ${text}`, () => {
    assert.deepEqual(parseHotplugTarget(text), target);
    assert.equal(hotplugId(parseHotplugTarget(text)), id);
  });
}

for (const text of ['', '01', '1-', '../x', '046d:c52b:1', '0000:01:00.8', 'usb1']) {
  test(`parseHotplugTarget() does not take ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseHotplugTarget(text), /Cannot tell what/);
  });
}

const bridge = (id: string, devices?: unknown[]) => ({
  qdev_id: id,
  pci_bridge: { bus: {}, ...(devices && { devices }) },
});

test('findFreePort() finds a root port with nothing behind it', () => {
  const answer = [
    { bus: 0, devices: [{ qdev_id: '' }, bridge('port2', [{}]), bridge('', []), bridge('spare0')] },
  ];
  assert.equal(findFreePort(answer), 'spare0');
  assert.equal(findFreePort([{ devices: [bridge('spare1', [])] }]), 'spare1');
  for (const none of [null, [], [{}], [{ devices: [bridge('port2', [{}])] }]])
    assert.throws(() => findFreePort(none), /every root port/);
});

test('sparePorts() gives a q35 board room, an old one none', () => {
  assert.equal(sparePorts(['q', '-machine', 'q35,smm=off']).length, 4);
  assert.deepEqual(sparePorts(['q', '-machine', 'pc']), []);
  assert.deepEqual(sparePorts(['q']), []);
});

test('findVfioId() knows a function by the host’s address', async () => {
  const qmp = await QmpClient.open(
    fakeQemu({
      'qom-list': [{ name: 'type', type: 'string' }, { name: 'gpu', type: 'child<vfio-pci>' }, { name: 7 }],
      'qom-get': '0000:01:00.0',
    }),
  );
  assert.equal(await findVfioId(qmp, parsePciAddress('0000:01:00.0')!), 'gpu');
  assert.equal(await findVfioId(qmp, parsePciAddress('0000:02:00.0')!), null);
});

test('findUsbDevice() finds by id or port, and refuses to guess', () => {
  const host = new FakeHost();
  for (const [name, device] of [
    ['1-2', 5],
    ['1-3', 6],
    ['2-1.4', 7],
  ] as const) {
    host.put(`/sys/bus/usb/devices/${name}/idVendor`, '046d\n');
    host.put(`/sys/bus/usb/devices/${name}/idProduct`, device === 7 ? 'c52b\n' : 'c31c\n');
    host.put(`/sys/bus/usb/devices/${name}/busnum`, `${name[0]}\n`);
    host.put(`/sys/bus/usb/devices/${name}/devnum`, `${device}\n`);
  }
  assert.deepEqual(findUsbDevice(host, { is: 'usb', vendorId: '046d', productId: 'c52b' }), {
    bus: 2,
    device: 7,
    node: '/dev/bus/usb/002/007',
  });
  assert.equal(findUsbDevice(host, { is: 'usb-port', port: '1-3' }).device, 6);
  assert.throws(
    () => findUsbDevice(host, { is: 'usb', vendorId: '046d', productId: 'c31c' }),
    /2 have the id/,
  );
  assert.throws(
    () => findUsbDevice(host, { is: 'usb-port', port: '9-9' }),
    /Cannot find a USB device with port 9-9/,
  );
});

test('readProcessUser() reads who a process is by now', () => {
  const host = new FakeHost().put('/proc/7/status', 'Name:\tx\nUid:\t0\t1000\t0\t0\nGid:\t0\t100\t0\t0\n');
  assert.deepEqual(readProcessUser(host, 7), { uid: 1000, gid: 100 });
});
