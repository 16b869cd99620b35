import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  INSTALLER_STORAGES,
  parseProxmoxStorages,
  volumeOf,
  volumePath,
} from '../../../../lib/convert/proxmox/storage.ts';

const STORAGES = parseProxmoxStorages(`dir: local
	path /var/lib/vz
	content iso,vztmpl,backup

lvmthin: local-lvm
	thinpool data
	vgname pve

zfspool: tank
	pool tank/vm
	sparse 1

nfs: shared
	export /srv/vm
	server 10.0.0.2

rbd: ceph
	pool vms
`);

test('parseProxmoxStorages() knows where folders, volume groups and pools are', () => {
  assert.deepEqual(STORAGES, [
    { name: 'local', folder: '/var/lib/vz', devices: null },
    { name: 'local-lvm', folder: null, devices: '/dev/pve' },
    { name: 'tank', folder: null, devices: '/dev/zvol/tank/vm' },
    { name: 'shared', folder: '/mnt/pve/shared', devices: null },
    { name: 'ceph', folder: null, devices: null },
  ]);
});

test('volumePath() finds a volume on the host, or says that it cannot', () => {
  const cases: readonly [string, string | null][] = [
    ['local:100/vm-100-disk-0.qcow2', '/var/lib/vz/images/100/vm-100-disk-0.qcow2'],
    ['local:100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2', '/var/lib/vz/images/101/vm-101-disk-0.qcow2'],
    ['local:iso/win11.iso', '/var/lib/vz/template/iso/win11.iso'],
    ['local-lvm:vm-100-disk-1', '/dev/pve/vm-100-disk-1'],
    ['tank:base-9000-disk-0/vm-100-disk-0', '/dev/zvol/tank/vm/vm-100-disk-0'],
    ['shared:iso/a b.iso', '/mnt/pve/shared/template/iso/a b.iso'],
    ['/dev/disk/by-id/nvme-x', '/dev/disk/by-id/nvme-x'],
    ['ceph:vm-100-disk-0', null],
    ['other:100/a.raw', null],
    ['local:../../etc/shadow', null],
    ['none', null],
  ];
  for (const [volume, path] of cases) assert.equal(volumePath(volume, STORAGES), path, volume);
});

test('volumeOf() is the inverse of volumePath(), and the path itself where no storage has it', () => {
  for (const volume of [
    'local:100/a.qcow2',
    'local:iso/win11.iso',
    'local-lvm:vm-1-disk-0',
    'tank:vm-1-disk-0',
  ]) {
    assert.equal(volumeOf(volumePath(volume, STORAGES)!, STORAGES), volume);
  }
  for (const path of [
    '/dev/sdb',
    '/var/lib/vz/images',
    '/var/lib/vz/images/a.raw,x=1',
    '/var/lib/vz/template/iso/a;b.iso',
  ]) {
    assert.equal(volumeOf(path, STORAGES), path);
  }
  assert.equal(volumeOf('/dev/pve/vm-1-disk-0', INSTALLER_STORAGES), 'local-lvm:vm-1-disk-0');
});
