import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUsbBuses } from '../../../lib/host/usb.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const KEYBOARD = { device: 2, id: '0627:0001', name: 'QEMU USB Keyboard', port: '1-1' };
const STICK = { device: 3, id: '46f4:0001', name: 'QEMU USB HARDDRIVE', port: '2-2' };

test('readUsbBuses() lists a controller’s buses with what hangs on them', () => {
  assert.deepEqual(readUsbBuses(labMachine(), pci('0000:03:00.0')), [
    { bus: 1, ports: 4, devices: [KEYBOARD] },
    { bus: 2, ports: 4, devices: [STICK] },
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
  const mouse = { device: 7, id: '046d:c31c', name: null, port: '1-2.4' };
  assert.deepEqual(readUsbBuses(host, pci('0000:03:00.0'))[0]?.devices, [KEYBOARD, mouse]);
});

test('readUsbBuses() shows nothing of a device’s name that a terminal would obey', () => {
  const host = labMachine();
  host.put('/sys/bus/pci/devices/0000:03:00.0/usb1/1-1/product', 'Key\x1b[2Jboard\n');
  assert.equal(readUsbBuses(host, pci('0000:03:00.0'))[0]?.devices[0]?.name, 'QEMU Key [2Jboard');
});
