import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBlock, addStacked, openNode, putMounts } from '../../fake/device-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice } from '../../fake/pci-model.ts';
import { hostdev, planOn, refusals } from './plan-on.ts';

const NVME0 = '/sys/devices/pci0000:00/0000:00:10.1/0000:02:00.0/nvme/nvme0/nvme0n1';

test('planDevices() refuses disks in use and names what stands on them, not every layer below it', () => {
  const host = labMachine();
  const part = addBlock(host, `${NVME0}/nvme0n1p1`, '259:3');
  const crypt = addStacked(host, 'dm-0', '253:0', [part], {
    'dm/name': 'crypt\n',
    'dm/uuid': 'CRYPT-LUKS2-a\n',
  });
  addStacked(host, 'dm-1', '253:1', [crypt], { 'dm/name': 'vg-home\n', 'dm/uuid': 'LVM-a\n' });
  addStacked(host, 'dm-2', '253:2', [crypt], { 'dm/name': 'vg-old\n', 'dm/uuid': 'LVM-b\n' });
  addBlock(host, `${NVME0}/nvme0n1p2`, '259:4');
  putMounts(host, '253:1 / /home ext4 /dev/mapper/vg-home');
  host.put('/proc/swaps', 'Filename Type\n/dev/nvme0n1p2 partition 1\n');
  assert.deepEqual(refusals(host, { devices: { disk: '02:00.0' } }), [
    [
      'in-use',
      'Cannot take 0000:02:00.0 (disk): /home is mounted from nvme0n1p1 → crypt → vg-home, LVM has vg-old active on nvme0n1p1 → crypt and swap lies on nvme0n1p2, nothing of it must be in use',
      'Unmount /home; Deactivate its volume group (vgchange -an), and keep the host from activating it (lvm.conf, global_filter); swapoff /dev/nvme0n1p2',
    ],
  ]);
});

test('planDevices() refuses to park what the host uses', () => {
  const host = labMachine();
  host.put('/sys/kernel/iommu_groups/12/devices/0000:41:00.0', '');
  putMounts(host, '259:1 / /srv ext4 /dev/nvme1n1');
  assert.deepEqual(refusals(host, { devices: { disk: '02:00.0' }, options: { siblings: 'park' } }), [
    [
      'in-use',
      'Cannot take 0000:41:00.0 (of IOMMU group 17): /srv is mounted from nvme1n1, nothing of it must be in use',
      'Unmount /srv',
    ],
  ]);
});

test('planDevices() refuses the card of the default route unless the profile allows it', () => {
  const host = labMachine();
  host.put('/proc/net/route', 'Iface\nenp1s0\t00000000\t0108090A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n');
  const devices = { nic: '01:00.0' };
  assert.deepEqual(refusals(host, { devices }), [
    [
      'default-route',
      'Cannot take 0000:01:00.0 (nic): the default route (IPv4 through enp1s0) leads over enp1s0, the host must keep its way out',
      'Give another card, or write "allow-default-route = yes" under [options] if that is meant',
    ],
  ]);
  assert.deepEqual(planOn(host, { devices, options: { allowDefaultRoute: true } }).refusals, []);
});

test('planDevices() refuses what processes hold, and names them with their units', () => {
  const host = labMachine();
  const first = openNode(host, 'Xorg', '/dev/dri/card1', '/system.slice/gdm.service');
  const second = openNode(host, 'mpv', '/dev/snd/controlC0');
  assert.deepEqual(refusals(host, { devices: { gpu: '04:00.0', sound: '04:00.1' } }), [
    [
      'held-by-processes',
      `Cannot take 0000:04:00.0 (gpu): Xorg (process ${first} of gdm.service) has /dev/dri/card1 open, nobody must`,
      'Stop gdm.service, by hand, with "display = yes" under [handover], or with a prepare-first command, then start the guest again',
    ],
    [
      'held-by-processes',
      `Cannot take 0000:04:00.1 (sound): mpv (process ${second}) has /dev/snd/controlC0 open, nobody must`,
      'Stop what has it open, by hand or with a prepare-first command, then start the guest again',
    ],
  ]);
});

test('planDevices() only tells of holders where a command of the user’s may make them leave', () => {
  const host = labMachine();
  const pid = openNode(host, 'mpv', '/dev/snd/controlC0');
  const wanted = { devices: { gpu: '04:00.0', sound: '04:00.1' }, holdersMayLeave: true };
  const { refusals: none, notes, steps } = planOn(host, wanted);
  assert.deepEqual([none, steps.length], [[], 4]);
  assert.equal(
    notes.at(-1),
    `Cannot take 0000:04:00.1 (sound): mpv (process ${pid}) has /dev/snd/controlC0 open, nobody must; the prepare-first command must see to that`,
  );
});

test('planDevices() does not mind udev looking at a disk, nor keyboards in use', () => {
  const host = labMachine();
  openNode(host, '(udev-worker)', '/dev/nvme0n1');
  host.putDevice('/dev/input/event1', 'character', '13:65');
  openNode(host, 'Xorg', '/dev/input/event1');
  assert.deepEqual(planOn(host, { devices: { disk: '02:00.0', usb: '03:00.0' } }).refusals, []);
});

test('planDevices() refuses a function on VFIO whose group a stranger has open', () => {
  const host = labMachine();
  addPciDevice(host, {
    address: '0000:42:00.0',
    vendor: '8086',
    device: '1',
    class: '020000',
    group: 30,
    driver: 'vfio-pci',
  });
  const pid = openNode(host, 'qemu-system-x86', '/dev/vfio/30');
  assert.deepEqual(refusals(host, { domain: [hostdev('0000:42:00.0', false)] }), [
    [
      'held-by-processes',
      `Cannot take 0000:42:00.0: qemu-system-x86 (process ${pid}) has /dev/vfio/30 open, nobody must`,
      'Stop what has it open, by hand or with a prepare-first command, then start the guest again',
    ],
  ]);
});

test('planDevices() does not blame a card for who uses another one of the same driver', () => {
  const host = new FakeHost();
  for (const [index, address] of ['0000:01:00.0', '0000:02:00.0'].entries()) {
    addPciDevice(host, {
      address,
      vendor: '10de',
      device: '2684',
      class: '030000',
      group: index,
      driver: 'nvidia',
    });
    host.put(`/proc/driver/nvidia/gpus/${address}/information`, `Device Minor: \t ${index}\n`);
    host.putDevice(`/dev/nvidia${index}`, 'character', `195:${index}`);
  }
  host
    .putDevice('/dev/nvidiactl', 'character', '195:255')
    .put('/proc/devices', 'Character devices:\n195 nvidia\n');
  const pid = openNode(host, 'cuda', '/dev/nvidiactl');
  host.putLink(`/proc/${pid}/fd/8`, '/dev/nvidia0');
  assert.deepEqual(planOn(host, { devices: { gpu: '02:00.0' } }).refusals, []);
  assert.deepEqual(refusals(host, { devices: { gpu: '01:00.0' } })[0]?.[0], 'held-by-processes');
});
