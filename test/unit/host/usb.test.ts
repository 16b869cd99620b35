import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUsbBuses } from '../../../lib/host/usb.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const UNKNOWN = { kinds: [], speedMbps: null };
const KEYBOARD = { device: 2, id: '0627:0001', name: 'QEMU USB Keyboard', port: '1-1', ...UNKNOWN };
const STICK = { device: 3, id: '46f4:0001', name: 'QEMU USB HARDDRIVE', port: '2-2', ...UNKNOWN };

test('readUsbBuses() lists a controller’s buses with what hangs on them', () => {
  assert.deepEqual(readUsbBuses(labMachine(), pci('0000:03:00.0')), [
    { bus: 1, ports: 4, speedMbps: null, devices: [KEYBOARD] },
    { bus: 2, ports: 4, speedMbps: null, devices: [STICK] },
  ]);
  assert.deepEqual(readUsbBuses(labMachine(), pci('0000:01:00.0')), []);
});

test('readUsbBuses() goes down through hubs and passes over what cannot be read', () => {
  const host = labMachine();
  const hub = '/sys/bus/pci/devices/0000:03:00.0/usb1/1-2';
  host
    .put(`${hub}/1-2.4/devnum`, '7\n')
    .put(`${hub}/1-2.4/idVendor`, '046d\n')
    .put(`${hub}/1-2.4/idProduct`, 'c31c\n');
  host.put(`${hub}/1-2.3/devnum`, 'x\n');
  host
    .put(`${hub}/1-2.1/devnum`, '9\n')
    .put(`${hub}/1-2.1/idVendor`, '046d\n')
    .put(`${hub}/1-2.1/idProduct`, 'zz\n');
  const mouse = { device: 7, id: '046d:c31c', name: null, port: '1-2.4', ...UNKNOWN };
  assert.deepEqual(readUsbBuses(host, pci('0000:03:00.0'))[0]?.devices, [KEYBOARD, mouse]);
});

test('readUsbBuses() shows nothing of a device’s name that a terminal would obey', () => {
  const host = labMachine();
  host.put('/sys/bus/pci/devices/0000:03:00.0/usb1/1-1/product', 'Key\x1b[2Jboard\n');
  assert.equal(readUsbBuses(host, pci('0000:03:00.0'))[0]?.devices[0]?.name, 'QEMU Key [2Jboard');
});

test('readUsbBuses() tells what a device is by its own class or those of its interfaces, and its speed', () => {
  const host = labMachine();
  const bus = '/sys/bus/pci/devices/0000:03:00.0/usb1';
  const interfaces = {
    '1-1:1.0': ['03', '01', '01'],
    '1-1:1.1': ['03', '01', '02'],
    '1-1:1.2': ['03', '00', '00'],
  };
  for (const [name, [kind, sub, protocol]] of Object.entries(interfaces)) {
    host
      .put(`${bus}/1-1/${name}/bInterfaceClass`, `${kind}\n`)
      .put(`${bus}/1-1/${name}/bInterfaceSubClass`, `${sub}\n`)
      .put(`${bus}/1-1/${name}/bInterfaceProtocol`, `${protocol}\n`);
  }
  host.put(`${bus}/1-1/bDeviceClass`, '00\n').put(`${bus}/1-1/speed`, '1.5\n').put(`${bus}/speed`, '480\n');
  const found = readUsbBuses(host, pci('0000:03:00.0'))[0];
  assert.deepEqual([found?.speedMbps, found?.devices[0]?.speedMbps], [480, 1.5]);
  assert.deepEqual(found?.devices[0]?.kinds, ['keyboard', 'mouse', 'input']);
});
