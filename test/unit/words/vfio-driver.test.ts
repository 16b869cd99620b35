import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driverOfVfioModule, isHarmlessInGroup, isVfioDriver } from '../../../lib/words/vfio-driver.ts';

test('isVfioDriver() knows the generic driver and its variants, however they spell themselves', () => {
  const names = [
    'vfio-pci',
    'mlx5_vfio_pci',
    'hisi_acc_vfio_pci',
    'hisi-acc-vfio-pci',
    'nvgrace-gpu-vfio-pci',
    'xe-vfio-pci',
  ];
  assert.deepEqual(
    names.filter((name) => !isVfioDriver(name)),
    [],
  );
  const others = ['vfio', 'vfio-pci-core', 'myvfio-pci', 'vfio-platform', 'nvme', 'pci-stub', '', null];
  assert.deepEqual(
    others.filter((name) => isVfioDriver(name)),
    [],
  );
});

test('isHarmlessInGroup() lets nobody, VFIO and the drivers that leave DMA alone stay', () => {
  const all = [null, 'vfio-pci', 'pci-stub', 'pcieport', 'pciback', 'e1000e', 'shpchp', 'snd_hda_intel'];
  assert.deepEqual(all.filter(isHarmlessInGroup), [null, 'vfio-pci', 'pci-stub', 'pcieport', 'pciback']);
});

test('driverOfVfioModule() gives the generic driver its dash and variants their underscores', () => {
  assert.equal(driverOfVfioModule('vfio_pci'), 'vfio-pci');
  assert.equal(driverOfVfioModule('vfio-pci'), 'vfio-pci');
  assert.equal(driverOfVfioModule('nvgrace-gpu-vfio-pci'), 'nvgrace_gpu_vfio_pci');
});
