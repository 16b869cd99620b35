import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStorageUses } from '../../../lib/host/storage.ts';
import { addBlock, addStacked, putMounts } from '../../fake/device-model.ts';
import type { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { pci } from '../../fake/pci-model.ts';

const NVME0 = '/sys/devices/pci0000:00/0000:00:10.1/0000:02:00.0/nvme/nvme0/nvme0n1';
const NVME1 = '/sys/devices/pci0000:40/0000:40:00.0/0000:41:00.0/nvme/nvme1/nvme1n1';

/** The uses of the first NVMe as "why what on". */
function uses(host: FakeHost, address = '0000:02:00.0'): string[] {
  return readStorageUses(host, [pci(address)]).map((use) => {
    assert.deepEqual([use.address, use.severity], [address, 'refuse']);
    return `${use.why} | ${use.what} | ${use.on}`;
  });
}

test('readStorageUses() finds nothing on an unused disk', () => {
  assert.deepEqual(uses(labMachine()), []);
});

test('readStorageUses() finds mounts of disks and of partitions by device number', () => {
  const host = labMachine();
  addBlock(host, `${NVME0}/nvme0n1p1`, '259:3');
  putMounts(host, '259:3 / /boot/efi vfat /dev/disk/by-label/EFI', '254:0 / / ext4 /dev/vda');
  assert.deepEqual(uses(host), ['mount | /boot/efi | nvme0n1p1']);
  assert.deepEqual(uses(host, '0000:00:03.0'), ['mount | / | vda']);
});

test('readStorageUses() finds swap on partitions, named by any path', () => {
  const host = labMachine();
  addBlock(host, `${NVME0}/nvme0n1p2`, '259:4');
  host.putLink('/dev/disk/by-label/my swap', '/dev/nvme0n1p2');
  const head = 'Filename\t\t\t\tType\t\tSize\n';
  host.put('/proc/swaps', `${head}/dev/nvme0n1p2  partition\t1\n/srv/nvme0n1  file\t1\n`);
  assert.deepEqual(uses(host), ['swap | /dev/nvme0n1p2 | nvme0n1p2']);
  host.put('/proc/swaps', `${head}/dev/disk/by-label/my\\040swap  partition\t1\n`);
  assert.deepEqual(uses(host), ['swap | /dev/nvme0n1p2 | nvme0n1p2']);
});

test('readStorageUses() climbs through LUKS and LVM to the mount and the swap on top', () => {
  const host = labMachine();
  const part = addBlock(host, `${NVME0}/nvme0n1p3`, '259:5');
  const crypt = addStacked(host, 'dm-0', '253:0', [part], {
    'dm/name': 'cryptroot\n',
    'dm/uuid': 'CRYPT-LUKS2-abc\n',
  });
  addStacked(host, 'dm-1', '253:1', [crypt], { 'dm/name': 'vg-root\n', 'dm/uuid': 'LVM-abc\n' });
  addStacked(host, 'dm-2', '253:2', [crypt], { 'dm/name': 'vg-swap\n', 'dm/uuid': 'LVM-def\n' });
  addStacked(host, 'dm-3', '253:3', [crypt], { 'dm/name': 'odd\n', 'dm/uuid': 'mpath-1\n' });
  putMounts(host, '253:1 / / ext4 /dev/mapper/vg-root');
  host.put('/proc/swaps', 'Filename Type\n/dev/dm-2 partition 1\n');
  assert.deepEqual(uses(host), [
    'luks | cryptroot | nvme0n1p3',
    'lvm | vg-root | nvme0n1p3 → cryptroot',
    'mount | / | nvme0n1p3 → cryptroot → vg-root',
    'lvm | vg-swap | nvme0n1p3 → cryptroot',
    'swap | /dev/dm-2 | nvme0n1p3 → cryptroot → vg-swap',
    'dm | odd | nvme0n1p3 → cryptroot',
  ]);
});

test('readStorageUses() finds RAID arrays, their partitions, and bcache', () => {
  const host = labMachine();
  const array = addStacked(host, 'md127', '9:127', [NVME0, NVME1], { 'md/level': 'raid1\n' });
  addBlock(host, `${array}/md127p1`, '259:9');
  putMounts(host, '259:9 / /srv xfs /dev/md127p1');
  const expected = (disk: string) => [`md | md127 | ${disk}`, `mount | /srv | ${disk} → md127p1`];
  assert.deepEqual(uses(host), expected('nvme0n1'));

  const cached = labMachine();
  cached.put(`${NVME0}/bcache/state`, 'clean\n');
  addStacked(cached, 'bcache0', '252:0', [NVME0]);
  assert.deepEqual(uses(cached), ['bcache | nvme0n1 | nvme0n1', 'bcache | bcache0 | nvme0n1']);
});

test('readStorageUses() finds every member of a mounted btrfs', () => {
  const host = labMachine();
  for (const [name, path] of Object.entries({ nvme0n1: NVME0, nvme1n1: NVME1 })) {
    host.putLink(`/sys/fs/btrfs/11-22/devices/${name}`, path);
  }
  host.putFolder('/sys/fs/btrfs/features');
  putMounts(host, '0:50 /@ /data btrfs /dev/nvme1n1');
  assert.deepEqual(uses(host), ['mount | /data | nvme0n1']);
  putMounts(host, '254:0 / / ext4 /dev/vda');
  assert.deepEqual(uses(host, '0000:41:00.0'), ['btrfs | 11-22 | nvme1n1']);
});

test('readStorageUses() finds ZFS pools that are imported, and only those', () => {
  const host = labMachine();
  addBlock(host, `${NVME0}/nvme0n1p1`, '259:3');
  host.put('/run/udev/data/b259:3', 'S:disk/by-x\nE:ID_FS_LABEL=tank\nE:ID_FS_TYPE=zfs_member\n');
  assert.deepEqual(uses(host), []);
  host.putFolder('/proc/spl/kstat/zfs/tank');
  assert.deepEqual(uses(host), ['zfs | tank | nvme0n1p1']);
  for (const facts of [
    'E:ID_FS_LABEL=../zfs/tank\nE:ID_FS_TYPE=zfs_member\n',
    'E:ID_FS_LABEL=tank\nE:ID_FS_TYPE=ext4\n',
  ]) {
    host.put('/run/udev/data/b259:3', facts);
    assert.deepEqual(uses(host), []);
  }
});

test('readStorageUses() believes the kernel where nothing else tells, and asks no optical drive', () => {
  const host = labMachine();
  addBlock(host, '/sys/devices/pci0000:00/0000:00:10.1/0000:02:00.0/ata1/host0/block/sr0', '11:0');
  host.setBusy('/dev/nvme0n1').setBusy('/dev/sr0');
  assert.deepEqual(uses(host), ['claimed | /dev/nvme0n1 | nvme0n1']);
  assert.equal(
    host.calls.some((call) => call === 'claimable /dev/sr0'),
    false,
  );
});

test('readStorageUses() does not repeat for the disk what its partition says', () => {
  const host = labMachine();
  addBlock(host, `${NVME0}/nvme0n1p1`, '259:3');
  host.setBusy('/dev/nvme0n1').setBusy('/dev/nvme0n1p1');
  putMounts(host, '259:3 / /srv ext4 /dev/nvme0n1p1');
  assert.deepEqual(uses(host), ['mount | /srv | nvme0n1p1']);
  putMounts(host, '254:0 / / ext4 /dev/vda');
  assert.deepEqual(uses(host), ['claimed | /dev/nvme0n1p1 | nvme0n1p1']);
});

test('readStorageUses() finds USB disks behind their controller', () => {
  const host = labMachine();
  putMounts(host, '8:0 / /media/stick vfat /dev/sda');
  assert.deepEqual(uses(host, '0000:03:00.0'), ['usb-storage-mounted | /media/stick | sda']);
});

test('readStorageUses() finds an NVMe that is reached through a subsystem of several controllers', () => {
  const host = labMachine();
  const subsystem = '/sys/devices/virtual/nvme-subsystem/nvme-subsys0';
  host.putLink(`${subsystem}/nvme0`, NVME0.slice(0, NVME0.lastIndexOf('/')));
  host.put(`${subsystem}/subsysnqn`, 'nqn\n');
  addBlock(host, `${subsystem}/nvme5n1`, '259:7');
  putMounts(host, '259:7 / /far ext4 /dev/nvme5n1');
  assert.deepEqual(uses(host), ['mount | /far | nvme5n1']);
});

test('readStorageUses() tells a disk behind two of the functions for each of them', () => {
  const host = labMachine();
  putMounts(host, '259:0 / /srv ext4 /dev/nvme0n1');
  const found = readStorageUses(host, [pci('0000:00:10.1'), pci('0000:02:00.0')]);
  assert.deepEqual(
    found.map(({ address, what }) => [address, what]),
    [
      ['0000:00:10.1', '/srv'],
      ['0000:02:00.0', '/srv'],
    ],
  );
});

test('readStorageUses() ends where block devices hold each other in a circle', () => {
  const host = labMachine();
  const upper = addStacked(host, 'dm-0', '253:0', [NVME0], { 'dm/uuid': 'LVM-a\n' });
  host.putLink(`${upper}/holders/dm-0`, upper);
  assert.deepEqual(uses(host), ['lvm | dm-0 | nvme0n1', 'lvm | dm-0 | nvme0n1 → dm-0']);
});
