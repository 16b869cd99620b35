import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModuleStates } from '../../../lib/host/kernel-modules.ts';
import { readPciFunction } from '../../../lib/host/pci-function.ts';
import { readBestVfioDriver, readBestVfioDrivers } from '../../../lib/host/vfio-drivers.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice, pci } from '../../fake/pci-model.ts';

const MODULES = '/lib/modules/6.12.95-amd64';
const ALIASES = [
  '# Aliases extracted from modules themselves.',
  'alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core',
  'alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci',
  'alias vfio_pci:v000015B3d*sv*sd*bc*sc*i* early_vfio_pci',
  'alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci',
  'alias vfio_pci:v00001AF4d00001041sv*sd*bc02sc*i* virtio_vfio_pci',
  'alias vfio_pci:nonsense broken_vfio_pci',
];

function machine(modalias: string): FakeHost {
  const host = labMachine();
  host.put(`${MODULES}/modules.alias`, `${ALIASES.join('\n')}\n`);
  host.put('/sys/bus/pci/devices/0000:01:00.0/modalias', `${modalias}\n`);
  return host;
}

function best(host: FakeHost) {
  return readBestVfioDriver(host, readPciFunction(host, pci('0000:01:00.0'))!);
}

test('readBestVfioDriver() takes the module whose alias fits with the fewest wildcards', () => {
  const host = machine('pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00');
  assert.deepEqual(best(host), { driver: 'mlx5_vfio_pci', module: 'mlx5_vfio_pci' });
});

test('readBestVfioDriver() asks the loaded module what its driver is called', () => {
  const host = machine('pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00');
  host.putLink('/sys/module/mlx5_vfio_pci/drivers/pci:mlx5-vfio-pci', '/sys/bus/pci/drivers/mlx5-vfio-pci');
  assert.deepEqual(best(host), { driver: 'mlx5-vfio-pci', module: 'mlx5_vfio_pci' });
});

test('readBestVfioDriver() compares every field of the alias', () => {
  const network = machine('pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00');
  assert.equal(best(network).module, 'virtio_vfio_pci');
  const storage = machine('pci:v00001AF4d00001041sv00001AF4sd00001100bc01sc00i00');
  assert.deepEqual(best(storage), { driver: 'vfio-pci', module: 'vfio_pci' });
});

test('readBestVfioDriver() falls back to the generic driver where nothing else fits or nobody tells', () => {
  assert.equal(best(machine('pci:v00008086d000010D3sv*sd*bc02sc00i00')).driver, 'vfio-pci');
  assert.equal(best(machine('not a modalias')).driver, 'vfio-pci');
  assert.equal(best(labMachine()).driver, 'vfio-pci');
});

test('readBestVfioDrivers() reads the aliases once, and not at all for no function', () => {
  const host = machine('pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00');
  const fn = readPciFunction(host, pci('0000:01:00.0'))!;
  const reads = () => host.calls.filter((call) => call.includes('modules.alias')).length;
  assert.deepEqual(readBestVfioDrivers(host, []), []);
  assert.equal(reads(), 0);
  assert.equal(readBestVfioDrivers(host, [fn, fn, fn]).length, 3);
  assert.equal(reads(), 1);
});

test('readModuleStates() tells loaded, built in, loadable, absent and unknown apart', () => {
  const host = new FakeHost();
  host.put('/proc/sys/kernel/osrelease', '6.12.95-amd64\n');
  host.put(
    `${MODULES}/modules.dep`,
    'kernel/drivers/vfio/pci/vfio-pci.ko.xz: a\nkernel/x/hisi-acc-vfio-pci.ko.zst:\n',
  );
  host.put(`${MODULES}/modules.builtin`, 'kernel/drivers/vfio/vfio_iommu_type1.ko\n');
  host.put('/sys/module/snd_hda_intel/initstate', 'live\n');
  const names = ['vfio-pci', 'hisi_acc_vfio_pci', 'vfio_iommu_type1', 'snd-hda-intel', 'vfio', 'pci'];
  assert.deepEqual(
    [...readModuleStates(host, names)],
    [
      ['vfio_pci', 'loadable'],
      ['hisi_acc_vfio_pci', 'loadable'],
      ['vfio_iommu_type1', 'loaded'],
      ['snd_hda_intel', 'loaded'],
      ['vfio', 'absent'],
      ['pci', 'absent'],
    ],
  );
  host.drop(`${MODULES}/modules.dep`);
  assert.equal(readModuleStates(host, ['vfio_pci']).get('vfio_pci'), 'unknown');
});

test('readModuleStates() does not build a path from a release that is none', () => {
  const host = new FakeHost();
  host.put('/proc/sys/kernel/osrelease', '../../tmp\n').put('/tmp/modules.dep', 'x/vfio-pci.ko:\n');
  host.putFolder('/lib/modules');
  assert.equal(readModuleStates(host, ['vfio_pci']).get('vfio_pci'), 'unknown');
});

test('a variant that the machine lacks is not proposed', () => {
  const host = new FakeHost();
  addPciDevice(host, { address: '0000:01:00.0', vendor: '15b3', device: '101e', class: '020000', group: 1 });
  host.put(`${MODULES}/modules.alias`, `${ALIASES.slice(0, 3).join('\n')}\n`);
  host.put(
    '/sys/bus/pci/devices/0000:01:00.0/modalias',
    'pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00\n',
  );
  assert.equal(best(host).driver, 'vfio-pci');
});
