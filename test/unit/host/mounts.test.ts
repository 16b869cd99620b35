import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo, unescapeMount } from '../../../lib/host/mounts.ts';

test('parseMountInfo() finds mounts by device number and by source, the whole tree before a part of it', () => {
  const text = [
    '36 25 259:2 /var/lib /srv rw,noatime shared:1 - ext4 /dev/nvme0n1p2 rw',
    '25 1 259:2 / / rw,relatime shared:1 master:2 - ext4 /dev/nvme0n1p2 rw',
    '26 1 259:2 / /again rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw',
    '40 25 0:42 /@ /data rw - btrfs /dev/sdb rw,subvol=/@',
    '41 25 0:42 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home',
    '42 25 8:1 / /mnt/my\\040disk rw - vfat /dev/sda1 rw',
    'garbage',
    '1 2 3:4',
  ].join('\n');
  const { byDevice, bySource } = parseMountInfo(text);
  assert.deepEqual(
    [...byDevice],
    [
      ['259:2', '/'],
      ['0:42', '/data'],
      ['8:1', '/mnt/my disk'],
    ],
  );
  assert.deepEqual(
    [...bySource],
    [
      ['/dev/nvme0n1p2', '/srv'],
      ['/dev/sdb', '/data'],
      ['/dev/sda1', '/mnt/my disk'],
    ],
  );
});

test('unescapeMount() reads octal escapes and leaves other backslashes', () => {
  assert.equal(unescapeMount('a\\040b\\011c\\134d\\9'), 'a b\tc\\d\\9');
});
