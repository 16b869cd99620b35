import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { HostError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addPciDevice, driverOf, failProbe, loadDriver, overrideOf, ownGroup } from '../../fake/pci-model.ts';

// What the model claims of the kernel was measured on 6.1 and 6.12 in the lab

const ADDRESS = '0000:01:00.0';
const FOLDER = `/sys/bus/pci/devices/${ADDRESS}`;
const NIC = {
  address: ADDRESS,
  vendor: '8086',
  device: '10d3',
  class: '020000',
  group: 11,
  driver: 'e1000e',
};
let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  addPciDevice(host, { ...NIC, whileBound: { 'net/eth0/address': '52:54:00:00:00:01\n' } });
});

function refusal(path: string, text: string): string | null {
  try {
    host.write(path, text);
    return 'no refusal';
  } catch (error) {
    return error instanceof HostError ? error.code : String(error);
  }
}

const probe = () => host.write('/sys/bus/pci/drivers_probe', ADDRESS);
const unbind = () => host.write(`${FOLDER}/driver/unbind`, `${ADDRESS}\n`);

test('driver_override reads "(null)", keeps one name, and is cleared by a newline alone', () => {
  assert.equal(overrideOf(host, ADDRESS), '(null)');
  host.write(`${FOLDER}/driver_override`, 'vfio-pci\n');
  host.write(`${FOLDER}/driver_override`, '');
  assert.equal(overrideOf(host, ADDRESS), 'vfio-pci');
  host.write(`${FOLDER}/driver_override`, '\n');
  assert.equal(overrideOf(host, ADDRESS), '(null)');
  assert.equal(driverOf(host, ADDRESS), 'e1000e');
});

test('loading a driver binds the functions whose override names it', async () => {
  host.write(`${FOLDER}/driver_override`, 'vfio-pci');
  unbind();
  assert.equal(host.tree.get(`${FOLDER}/net`), null);
  const { status } = await host.run(['modprobe', '--', 'vfio_pci'], { timeoutMs: 1 });
  assert.deepEqual([status, driverOf(host, ADDRESS)], [0, 'vfio-pci']);
  assert.equal(host.peek(`${FOLDER}/power/control`), 'auto\n');
  assert.notEqual(host.tree.get('/dev/vfio/11'), null);
});

test('drivers_probe succeeds whatever comes of it', () => {
  probe();
  assert.equal(driverOf(host, ADDRESS), 'e1000e');
  unbind();
  host.write(`${FOLDER}/driver_override`, 'no-such-driver');
  probe();
  assert.equal(driverOf(host, ADDRESS), null);
  loadDriver(host, 'vfio-pci');
  failProbe(host, ADDRESS, 'vfio-pci');
  host.write(`${FOLDER}/driver_override`, 'vfio-pci');
  probe();
  assert.equal(driverOf(host, ADDRESS), null);
  host.write(`${FOLDER}/driver_override`, '\n');
  probe();
  assert.deepEqual(
    [driverOf(host, ADDRESS), host.peek(`${FOLDER}/net/eth0/address`)],
    ['e1000e', '52:54:00:00:00:01\n'],
  );
});

test('the files refuse what the kernel refuses', () => {
  assert.equal(refusal('/sys/bus/pci/drivers_probe', '01:00.0'), 'ENODEV');
  assert.equal(refusal('/sys/bus/pci/drivers/e1000e/bind', ADDRESS), 'EBUSY');
  loadDriver(host, 'vfio-pci');
  assert.equal(refusal('/sys/bus/pci/drivers/vfio-pci/unbind', ADDRESS), 'ENODEV');
  unbind();
  assert.equal(refusal(`${FOLDER}/driver/unbind`, ADDRESS), 'ENOENT');
  assert.equal(refusal('/sys/bus/pci/drivers/vfio-pci/bind', ADDRESS), 'ENODEV');
  ownGroup(host, 11, true);
  assert.equal(refusal('/sys/bus/pci/drivers_probe', ADDRESS), 'EINVAL');
  assert.equal(refusal('/sys/bus/pci/drivers/e1000e/bind', ADDRESS), 'EBUSY');
  assert.equal(refusal(`${FOLDER}/reset_method`, 'acpi'), 'EINVAL');
  assert.equal(refusal(`${FOLDER}/power/control`, 'off'), 'EINVAL');
});

test('unbinding vfio-pci forbids runtime power management and takes the group’s node away', () => {
  loadDriver(host, 'vfio-pci');
  host.write(`${FOLDER}/driver_override`, 'vfio-pci');
  unbind();
  probe();
  unbind();
  assert.deepEqual([host.peek(`${FOLDER}/power/control`), host.tree.get('/dev/vfio/11')], ['on\n', null]);
});

test('vfio-pci binds nothing without an IOMMU, no bridge, and no physical function with virtual ones', () => {
  loadDriver(host, 'vfio-pci');
  const others = [
    { ...NIC, address: '0000:02:00.0', group: null },
    { ...NIC, address: '0000:03:00.0', class: '060400' },
    { ...NIC, address: '0000:04:00.0', sriov: { total: 7, enabled: 1 } },
  ];
  for (const spec of others) {
    const { driver: _driver, ...driverless } = spec;
    addPciDevice(host, { ...driverless, override: 'vfio-pci' });
    host.write('/sys/bus/pci/drivers_probe', spec.address);
    assert.equal(driverOf(host, spec.address), null);
  }
});

test('modprobe says so where there is no such module', async () => {
  const { status, stderr } = await host.run(['modprobe', 'vfio_pic'], { timeoutMs: 1 });
  assert.deepEqual(
    [status, stderr],
    [1, 'modprobe: FATAL: Module vfio_pic not found in directory /lib/modules/6.12.95-amd64\n'],
  );
});
