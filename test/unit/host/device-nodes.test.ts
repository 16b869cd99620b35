import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeviceNodes } from '../../../lib/host/device-nodes.ts';
import { addClassDevice } from '../../fake/device-model.ts';
import { addFirmwareFrameBuffer } from '../../fake/display-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice, pci } from '../../fake/pci-model.ts';

const GPU = '/sys/devices/pci0000:00/0000:00:10.3/0000:04:00.0';

function nodes(host: FakeHost, ...addresses: readonly string[]): string[] {
  return readDeviceNodes(host, addresses.map(pci)).map(
    ({ address, path, rdev, type, shared }) =>
      `${address} ${path} ${type[0]}${rdev}${shared ? ' shared' : ''}`,
  );
}

test('readDeviceNodes() finds graphics, framebuffer, I2C and sound nodes of a card', () => {
  const host = labMachine();
  addClassDevice(host, 'i2c-dev', `${GPU}/i2c-3/i2c-dev/i2c-3`, { rdev: '89:3', devname: 'i2c-3' });
  addClassDevice(host, 'drm', `${GPU}/drm/renderD128`, { rdev: '226:128', devname: 'dri/renderD128' });
  assert.deepEqual(nodes(host, '0000:04:00.0', '0000:04:00.1'), [
    '0000:04:00.0 /dev/dri/card1 c226:1',
    '0000:04:00.0 /dev/dri/renderD128 c226:128',
    '0000:04:00.0 /dev/fb1 c29:1',
    '0000:04:00.0 /dev/i2c-3 c89:3',
    '0000:04:00.1 /dev/snd/controlC0 c116:6',
  ]);
});

test('readDeviceNodes() finds the firmware’s frame buffer on a card, wherever its device lies', () => {
  const number = { rdev: '29:0', devname: 'fb0' };
  const host = labMachine();
  addFirmwareFrameBuffer(host);
  addClassDevice(host, 'graphics', '/sys/devices/platform/efi-framebuffer.0/graphics/fb0', number);
  host.put('/proc/iomem', 'c0000000-febfffff : 0000:04:00.0\n  c0000000-c02fffff : efifb\n');
  assert.ok(nodes(host, '0000:04:00.0').includes('0000:04:00.0 /dev/fb0 c29:0'));
  assert.ok(!nodes(host, '0000:01:00.0').some((node) => node.includes('fb0')));

  const below = labMachine();
  below.write('/sys/bus/pci/drivers/bochs-drm/unbind', '0000:04:00.0');
  addClassDevice(below, 'graphics', `${GPU}/simple-framebuffer.0/graphics/fb0`, number);
  assert.deepEqual(nodes(below, '0000:04:00.0'), ['0000:04:00.0 /dev/fb0 c29:0']);
});

test('readDeviceNodes() finds controllers and disks', () => {
  assert.deepEqual(nodes(labMachine(), '0000:02:00.0', '0000:03:00.0'), [
    '0000:02:00.0 /dev/nvme0 c246:0',
    '0000:02:00.0 /dev/nvme0n1 b259:0',
    '0000:03:00.0 /dev/sda b8:0',
  ]);
});

test('readDeviceNodes() finds none for network cards and for functions without a driver', () => {
  const host = labMachine();
  host.write('/sys/bus/pci/drivers/bochs-drm/unbind', '0000:04:00.0');
  assert.deepEqual(nodes(host, '0000:01:00.0', '0000:04:00.0', '0000:09:00.0'), []);
});

test('readDeviceNodes() finds the VFIO group, and the function’s own node where there is one', () => {
  const host = new FakeHost();
  const spec = { vendor: '8086', device: '10d3', class: '020000', group: 11, driver: 'vfio-pci' };
  const path = addPciDevice(host, { ...spec, address: '0000:01:00.0' });
  host.put(`${path}/vfio-dev/vfio0/uevent`, 'MAJOR=511\nMINOR=0\nDEVNAME=vfio/devices/vfio0\n');
  assert.deepEqual(nodes(host, '0000:01:00.0'), [
    '0000:01:00.0 /dev/vfio/11 c240:11',
    '0000:01:00.0 /dev/vfio/devices/vfio0 c511:0',
  ]);
});

test('readDeviceNodes() does not lay a sibling’s VFIO group at the door of a native driver', () => {
  const host = new FakeHost();
  const spec = { vendor: '8086', device: '10d3', class: '020000', group: 11 };
  addPciDevice(host, { ...spec, address: '0000:01:00.0', driver: 'vfio-pci' });
  addPciDevice(host, { ...spec, address: '0000:01:00.1', driver: 'igb' });
  assert.deepEqual(nodes(host, '0000:01:00.1'), []);
});

test('readDeviceNodes() looks for everything on functions of no known kind', () => {
  const host = new FakeHost();
  const spec = {
    address: '0000:01:00.0',
    vendor: '1d22',
    device: '1',
    class: '120000',
    group: 1,
    driver: 'habanalabs',
  };
  const path = addPciDevice(host, spec);
  addClassDevice(host, 'accel', `${path}/accel/accel0`, { rdev: '261:0', devname: 'accel/accel0' });
  assert.deepEqual(nodes(host, '0000:01:00.0'), ['0000:01:00.0 /dev/accel/accel0 c261:0']);
});

function nvidiaMachine(): FakeHost {
  const host = new FakeHost();
  for (const [index, address] of ['0000:01:00.0', '0000:02:00.0'].entries()) {
    const spec = { vendor: '10de', device: '2684', class: '030000', group: index, driver: 'nvidia' };
    addPciDevice(host, { ...spec, address });
    host.put(`/proc/driver/nvidia/gpus/${address}/information`, `Model: \t X\nDevice Minor: \t ${index}\n`);
  }
  host.put(
    '/proc/devices',
    'Character devices:\n195 nvidia\n508 nvidia-uvm\n\nBlock devices:\n  8 nvidia-not\n',
  );
  return host;
}

test('readDeviceNodes() finds NVIDIA’s nodes, and says which another card uses too', () => {
  const host = nvidiaMachine();
  const common = [
    '/dev/nvidia-modeset c195:254',
    '/dev/nvidiactl c195:255',
    '/dev/nvidia-uvm c508:0',
    '/dev/nvidia-uvm-tools c508:1',
  ];
  assert.deepEqual(nodes(host, '0000:02:00.0'), [
    '0000:02:00.0 /dev/nvidia1 c195:1',
    ...common.map((node) => `0000:02:00.0 ${node} shared`),
  ]);
  assert.deepEqual(nodes(host, '0000:01:00.0', '0000:02:00.0'), [
    '0000:01:00.0 /dev/nvidia0 c195:0',
    ...common.map((node) => `0000:01:00.0 ${node}`),
    '0000:02:00.0 /dev/nvidia1 c195:1',
    ...common.map((node) => `0000:02:00.0 ${node}`),
  ]);
});

test('readDeviceNodes() finds the compute node of AMD cards', () => {
  const host = new FakeHost();
  const spec = { vendor: '1002', device: '744c', class: '030000', driver: 'amdgpu' };
  addPciDevice(host, { ...spec, address: '0000:03:00.0', group: 1 });
  addClassDevice(host, 'kfd', '/sys/devices/virtual/kfd/kfd', { rdev: '510:0', devname: 'kfd' });
  assert.deepEqual(nodes(host, '0000:03:00.0'), ['0000:03:00.0 /dev/kfd c510:0']);
  addPciDevice(host, { ...spec, address: '0000:0a:00.0', group: 2 });
  assert.deepEqual(nodes(host, '0000:03:00.0'), ['0000:03:00.0 /dev/kfd c510:0 shared']);
});
