import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIommu, readIommuGroup } from '../../../lib/host/iommu.ts';
import { readPciFunction } from '../../../lib/host/pci-function.ts';
import { listPciAddresses, parseAddresses, readPciTree } from '../../../lib/host/pci-tree.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice, pci } from '../../fake/pci-model.ts';

test('readPciFunction() reads everything sysfs tells of a function', () => {
  const host = labMachine();
  host.put('/sys/bus/pci/devices/0000:04:00.0/driver_override', 'vfio-pci\n');
  host.put('/sys/bus/pci/devices/0000:04:00.0/resource0_resize', '0000000000000ff0\n');
  assert.deepEqual(readPciFunction(host, pci('0000:04:00.0')), {
    address: '0000:04:00.0',
    path: '/sys/devices/pci0000:00/0000:00:10.3/0000:04:00.0',
    parent: '0000:00:10.3',
    vendorId: '1234',
    deviceId: '1111',
    subsystemVendorId: '1af4',
    subsystemId: '1100',
    classCode: '030000',
    isBridge: false,
    driver: 'bochs-drm',
    isVfio: false,
    driverOverride: 'vfio-pci',
    group: 14,
    node: null,
    bootVga: false,
    resetMethods: ['bus'],
    resettable: true,
    bars: [
      { index: 0, sizeBytes: 16_777_216, resizable: true },
      { index: 2, sizeBytes: 4096, resizable: false },
    ],
    sriov: null,
    physicalFunction: null,
    virtualFunctions: [],
    powerState: 'D0',
    d3coldAllowed: true,
  });
});

test('readPciFunction() knows bridges by their header, not by their class alone', () => {
  const host = labMachine();
  assert.equal(readPciFunction(host, pci('0000:05:00.0'))?.isBridge, true);
  host.put('/sys/bus/pci/devices/0000:01:00.0/secondary_bus_number', '2\n');
  assert.equal(readPciFunction(host, pci('0000:01:00.0'))?.isBridge, true);
});

test('readPciFunction() reads domains of more than four digits', () => {
  const host = new FakeHost();
  addPciDevice(host, { address: '0000:00:0e.0', vendor: '8086', device: '467f', class: '010400', group: 3 });
  const path = '/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0';
  host.put(`${path}/vendor`, '0x144d\n').put(`${path}/device`, '0xA80A\n').put(`${path}/class`, '0x010802\n');
  host.putLink('/sys/bus/pci/devices/10000:e1:00.0', path);
  const fn = readPciFunction(host, pci('10000:e1:00.0'));
  assert.deepEqual([fn?.path, fn?.parent, fn?.deviceId], [path, '10000:e0:06.0', 'a80a']);
  assert.deepEqual(listPciAddresses(host), ['0000:00:0e.0', '10000:e1:00.0']);
});

test('readPciFunction() reads virtual functions and their physical function', () => {
  const host = new FakeHost();
  const nic = { vendor: '8086', device: '10c9', class: '020000', group: 5 };
  addPciDevice(host, { ...nic, address: '0000:07:00.0', sriov: { total: 7, enabled: 2 } });
  for (const [index, address] of ['0000:07:10.2', '0000:07:10.0'].entries()) {
    addPciDevice(host, { ...nic, address, group: 6 + index, physicalFunction: '0000:07:00.0' });
  }
  const physical = readPciFunction(host, pci('0000:07:00.0'));
  assert.deepEqual(physical?.sriov, { total: 7, enabled: 2 });
  assert.deepEqual(physical?.virtualFunctions, ['0000:07:10.0', '0000:07:10.2']);
  assert.equal(readPciFunction(host, pci('0000:07:10.2'))?.physicalFunction, '0000:07:00.0');
});

test('readPciFunction() tells a function that cannot be reset, on new and on old kernels', () => {
  const host = labMachine();
  const folder = '/sys/bus/pci/devices/0000:01:00.0';
  host.put(`${folder}/reset_method`, '\n');
  const disabled = readPciFunction(host, pci('0000:01:00.0'));
  assert.deepEqual([disabled?.resetMethods, disabled?.resettable], [[], false]);
  host.drop(`${folder}/reset_method`);
  assert.equal(readPciFunction(host, pci('0000:01:00.0'))?.resettable, true);
  host.drop(`${folder}/reset`);
  assert.equal(readPciFunction(host, pci('0000:01:00.0'))?.resettable, false);
});

test('readPciFunction() counts a driver of any name as VFIO where the function has a vfio-dev folder', () => {
  const host = labMachine();
  host.put('/sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio0/dev', '511:0\n');
  assert.equal(readPciFunction(host, pci('0000:01:00.0'))?.isVfio, true);
});

test('readPciFunction() says null for what is garbage and nothing for what is gone', () => {
  const host = labMachine();
  assert.equal(readPciFunction(host, pci('0000:09:00.0')), null);
  const folder = '/sys/bus/pci/devices/0000:02:00.0';
  for (const name of ['subsystem_vendor', 'subsystem_device', 'numa_node', 'd3cold_allowed', 'resource']) {
    host.put(`${folder}/${name}`, 'Ã(garbage\n');
  }
  host.put(`${folder}/vendor`, '0xfffff\n').put(`${folder}/boot_vga`, '2\n');
  host.drop(`${folder}/iommu_group`);
  const fn = readPciFunction(host, pci('0000:02:00.0'));
  const { vendorId, deviceId, subsystemVendorId, subsystemId, node, bars, group, bootVga, d3coldAllowed } =
    fn!;
  assert.deepEqual(
    { vendorId, deviceId, subsystemVendorId, subsystemId, node, bars, group, bootVga, d3coldAllowed },
    {
      vendorId: null,
      deviceId: '0010',
      subsystemVendorId: null,
      subsystemId: null,
      node: null,
      bars: [],
      group: null,
      bootVga: false,
      d3coldAllowed: null,
    },
  );
});

test('readPciFunction() and readPciTree() survive a function that goes away at any moment', () => {
  const calls = (() => {
    const host = labMachine();
    readPciFunction(host, pci('0000:04:00.0'));
    return host.calls.length;
  })();
  for (let at = 1; at <= calls; at++) {
    const host = labMachine();
    const gone = new Proxy(host, {
      get(target, name) {
        if (target.calls.length + 1 === at) target.drop('/sys/devices/pci0000:00/0000:00:10.3/0000:04:00.0');
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    assert.doesNotThrow(() => readPciFunction(gone, pci('0000:04:00.0')));
    assert.equal(readPciTree(host).has(pci('0000:04:00.0')), false);
  }
});

test('readPciFunction() reads whether D3cold is allowed', () => {
  const host = labMachine();
  host.put('/sys/bus/pci/devices/0000:01:00.0/d3cold_allowed', '0\n');
  assert.equal(readPciFunction(host, pci('0000:01:00.0'))?.d3coldAllowed, false);
});

test('parseAddresses() takes names as the kernel writes them, in order', () => {
  const names = ['10000:e1:00.0', '0000:0a:00.0', '0000:00:1F.0', '00:02.0', 'junk', '0000:02:00.0'];
  assert.deepEqual(parseAddresses(names), ['0000:02:00.0', '0000:0a:00.0', '10000:e1:00.0']);
});

test('readPciTree() lists all functions in the order of their addresses and leaves out foreign names', () => {
  const host = labMachine();
  host
    .put('/sys/bus/pci/devices/0000:00:1F.0/vendor', '0x8086\n')
    .put('/sys/bus/pci/devices/junk/vendor', '0x1\n');
  assert.deepEqual(
    [...readPciTree(host).keys()],
    [
      ...['0000:00:03.0', '0000:00:10.0', '0000:00:10.1', '0000:00:10.2', '0000:00:10.3', '0000:00:10.4'],
      ...['0000:01:00.0', '0000:02:00.0', '0000:03:00.0', '0000:04:00.0', '0000:04:00.1'],
      ...['0000:05:00.0', '0000:06:01.0', '0000:06:02.0', '0000:40:00.0', '0000:41:00.0'],
    ],
  );
});

test('readIommuGroup() lists a group’s members; readIommu() says whether there are groups at all', () => {
  const host = labMachine();
  assert.deepEqual(readIommuGroup(host, 15), ['0000:05:00.0', '0000:06:01.0', '0000:06:02.0']);
  assert.deepEqual(readIommuGroup(host, 99), []);
  assert.deepEqual(readIommu(host), { enabled: true, units: ['dmar0'] });
  assert.deepEqual(readIommu(new FakeHost()), { enabled: false, units: [] });
});
