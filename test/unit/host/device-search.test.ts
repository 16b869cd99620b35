import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenOf } from '../../../lib/host/device-identity.ts';
import { findFunctions } from '../../../lib/host/device-search.ts';
import { parseDeviceRequest } from '../../../lib/inputs/selector.ts';
import { addBlock, addInterface } from '../../fake/device-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';

function find(host: FakeHost, text: string): readonly string[] {
  return findFunctions(host, parseDeviceRequest('x', text).selector);
}

const CASES: Readonly<Record<string, readonly string[]>> = {
  '01:00.0': ['0000:01:00.0'],
  '09:00.0': [],
  '1b36:0010': ['0000:02:00.0', '0000:41:00.0'],
  '1B36:0010:1AF4:1100 index 1': ['0000:02:00.0', '0000:41:00.0'],
  '1b36:0010:1af4:1101': [],
  '8086:0010': [],
  gpu: ['0000:04:00.0'],
  usb: ['0000:03:00.0', '0000:06:02.0'],
  'class 0c0320': ['0000:06:02.0'],
  'mac 52:54:00:AA:00:02': ['0000:06:01.0'],
  'mac 52:54:00:aa:00:99': [],
  'serial LABNVME1': ['0000:41:00.0'],
  'serial LABNVME': [],
};
for (const [text, expected] of Object.entries(CASES)) {
  test(`findFunctions() finds ${text}`, () => {
    assert.deepEqual(find(labMachine(), text), expected);
  });
}

test('findFunctions() reads nothing else for an address', () => {
  const host = labMachine();
  find(host, '01:00.0');
  assert.deepEqual(host.calls, ['exists /sys/bus/pci/devices/0000:01:00.0']);
});

test('findFunctions() knows a port of a bond by its own address, and no virtual interface', () => {
  const host = labMachine();
  const nic = '/sys/class/net/enp1s0';
  host
    .put(`${nic}/address`, '52:54:00:aa:00:02\n')
    .put(`${nic}/bonding_slave/perm_hwaddr`, '52:54:00:aa:00:01\n');
  addInterface(host, '/sys/devices/virtual/net/bond0', '52:54:00:aa:00:02');
  assert.deepEqual(find(host, 'mac 52:54:00:aa:00:01'), ['0000:01:00.0']);
  assert.deepEqual(find(host, 'mac 52:54:00:aa:00:02'), ['0000:06:01.0']);
});

test('findFunctions() finds a disk’s controller by the serial that the kernel or udev tells', () => {
  const host = labMachine();
  host
    .put('/sys/block/vda/serial', 'VIRT1\n')
    .put('/run/udev/data/b8:0', 'E:ID_SERIAL=x_ABC\nE:ID_SERIAL_SHORT=ABC\n');
  assert.deepEqual(find(host, 'serial VIRT1'), ['0000:00:03.0']);
  assert.deepEqual(find(host, 'serial ABC'), ['0000:03:00.0']);
  addBlock(host, '/sys/devices/virtual/block/loop0', '7:0');
  host.put('/sys/block/loop0/serial', 'LOOP\n');
  assert.deepEqual(find(host, 'serial LOOP'), []);
});

test('chosenOf() takes the only one or the one at the index', () => {
  const selector = (text: string) => parseDeviceRequest('x', text).selector;
  const two = findFunctions(labMachine(), selector('nvme'));
  assert.equal(chosenOf(selector('nvme'), two), null);
  assert.equal(chosenOf(selector('nvme index 1'), two), '0000:41:00.0');
  assert.equal(chosenOf(selector('nvme index 2'), two), null);
  assert.equal(chosenOf(selector('nvme'), two.slice(0, 1)), '0000:02:00.0');
  assert.equal(chosenOf(selector('nvme'), []), null);
});
