import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevicePicture } from '../../../lib/host/read-device-picture.ts';
import { parseDeviceRequest } from '../../../lib/inputs/selector.ts';
import { openNode } from '../../fake/device-model.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const request = (text: string) => parseDeviceRequest('x', text);

test('readDevicePicture() reads the named functions, their groups and their cards', () => {
  const host = labMachine();
  const picture = readDevicePicture(
    host,
    [request('06:01.0'), request('nvme'), request('nvme index 1'), request('01:00.0 1b36:000d')],
    [{ address: pci('0000:04:00.1'), managed: true, source: 'hostdev', driver: null, romFile: null }],
  );
  assert.deepEqual(picture.candidates, [
    ['0000:06:01.0'],
    ['0000:02:00.0', '0000:41:00.0'],
    ['0000:02:00.0', '0000:41:00.0'],
    ['0000:01:00.0'],
  ]);
  assert.deepEqual(picture.elsewhere, [[], [], [], ['0000:03:00.0']]);
  assert.deepEqual(
    [...picture.functions.keys()],
    [
      '0000:06:01.0',
      '0000:41:00.0',
      '0000:01:00.0',
      '0000:04:00.1',
      '0000:05:00.0',
      '0000:06:02.0',
      '0000:04:00.0',
    ],
  );
  assert.deepEqual(
    [...picture.groups],
    [
      [15, ['0000:05:00.0', '0000:06:01.0', '0000:06:02.0']],
      [17, ['0000:41:00.0']],
      [11, ['0000:01:00.0']],
      [14, ['0000:04:00.0', '0000:04:00.1']],
    ],
  );
  const generic = { driver: 'vfio-pci', module: 'vfio_pci' };
  assert.deepEqual(
    [...picture.vfioDrivers],
    ['0000:06:01.0', '0000:41:00.0', '0000:01:00.0', '0000:04:00.1'].map((address) => [address, generic]),
  );
  assert.deepEqual(
    [...picture.modules],
    [
      ['vfio_pci', 'loadable'],
      ['vfio_iommu_type1', 'loadable'],
    ],
  );
  assert.equal(picture.iommu, true);
});

test('readDevicePicture() leaves out who only looks at a disk in passing', () => {
  const host = labMachine();
  for (const comm of ['(udev-worker)', 'systemd-udevd', 'blkid']) openNode(host, comm, '/dev/nvme0n1');
  const pid = openNode(host, 'dd', '/dev/nvme0n1');
  const { holders } = readDevicePicture(host, [request('02:00.0')], []);
  assert.deepEqual(holders, [{ pid, comm: 'dd', unit: null, key: 'b259:0' }]);
});

test('readDevicePicture() looks at nothing where nobody asks for anything', () => {
  const host = labMachine();
  readDevicePicture(host, [], []);
  assert.deepEqual(host.calls, []);
});
