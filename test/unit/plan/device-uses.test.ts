import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Use } from '../../../lib/host/uses.ts';
import { listed } from '../../../lib/plan/device-input.ts';
import { refuseUses } from '../../../lib/plan/device-uses.ts';
import { pci } from '../../fake/pci-model.ts';

function use(why: Use['why'], what: string, on: string): Use {
  return { address: pci('0000:02:00.0'), why, what, on, severity: 'refuse' };
}

const CASES: readonly (readonly [Use, string, string])[] = [
  [use('mount', '/', 'sda1'), '/ is mounted from sda1', 'The host runs from it: give the guest another disk'],
  [use('mount', '/srv', 'sda1 → vg-srv'), '/srv is mounted from sda1 → vg-srv', 'Unmount /srv'],
  [
    use('usb-storage-mounted', '/media/x', 'sdb'),
    '/media/x is mounted from the USB disk sdb',
    'Unmount /media/x',
  ],
  [use('swap', '/dev/sda2', 'sda2'), 'swap lies on sda2', 'swapoff /dev/sda2'],
  [
    use('lvm', 'vg-old', 'sda3'),
    'LVM has vg-old active on sda3',
    'Deactivate its volume group (vgchange -an), and keep the host from activating it (lvm.conf, global_filter)',
  ],
  [use('luks', 'crypt', 'sda3'), 'LUKS has crypt open on sda3', 'cryptsetup close crypt'],
  [use('md', 'md127', 'sda'), 'the RAID array md127 runs on sda', 'mdadm --stop /dev/md127'],
  [use('zfs', 'tank', 'sda1'), 'the ZFS pool tank is imported from sda1', 'zpool export tank'],
  [
    use('btrfs', '11-22', 'sda → x'),
    'the btrfs 11-22 is mounted from sda → x',
    'See who has it (lsblk, fuser -vm /dev/sda)',
  ],
  [use('bcache', 'sda', 'sda'), 'bcache has sda', 'Stop bcache on sda (echo 1 > /sys/block/sda/bcache/stop)'],
  [use('dm', 'odd', 'sda'), 'the device mapper has odd on sda', 'dmsetup remove odd'],
  [
    use('claimed', '/dev/sda', 'sda'),
    'the kernel has /dev/sda claimed',
    'See who has it (lsblk, fuser -vm /dev/sda)',
  ],
];
for (const [one, words, remedy] of CASES) {
  test(`refuseUses() says what ${one.why} is and what to do about it: ${words}`, () => {
    assert.deepEqual(refuseUses('0000:02:00.0', [one], false), [
      { id: 'in-use', summary: `Cannot take 0000:02:00.0: ${words}, nothing of it must be in use`, remedy },
    ]);
  });
}

test('refuseUses() does not refuse for what is only to be told', () => {
  const told: Use = { ...use('usb-keyboard', 'K', 'K'), severity: 'warn' };
  assert.deepEqual(
    refuseUses('x', [told, { ...use('address', 'eth0', 'eth0'), severity: 'note' }], false),
    [],
  );
});

test('listed() writes lists as people do and cuts long ones', () => {
  assert.deepEqual(
    [[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']].map((words) => listed(words, 3)),
    ['', 'a', 'a and b', 'a, b and c', 'a, b, c and 1 more'],
  );
});
