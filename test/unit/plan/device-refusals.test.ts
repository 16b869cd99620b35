import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBlock, addStacked, openNode, putMounts } from '../../fake/device-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice, removeModule } from '../../fake/pci-model.ts';
import { heldBy, hostdev, planOn, type Wanted } from './plan-on.ts';

type Expected = readonly [id: string, summary: string, remedy: string];

/** Every refusal of a plan, which then has no step. */
function refusals(host: FakeHost, wanted: Wanted): Expected[] {
  const plan = planOn(host, wanted);
  assert.deepEqual(plan.steps, []);
  return plan.refusals.map(({ id, summary, remedy }) => [id, summary, remedy ?? '']);
}

const NVME0 = '/sys/devices/pci0000:00/0000:00:10.1/0000:02:00.0/nvme/nvme0/nvme0n1';
const SHOW = 'passqemu devices shows what there is';

const CASES: Readonly<Record<string, readonly [Wanted, readonly Expected[]]>> = {
  'no such device': [
    { devices: { gpu: '09:00.0' } },
    [
      [
        'no-device',
        'Cannot take 0000:09:00.0 (gpu): there is no such function, the address must be one of this machine',
        SHOW,
      ],
    ],
  ],
  'a device that has moved away': [
    { devices: { gpu: '09:00.0 1234:1111' } },
    [
      [
        'no-device',
        'Cannot take 0000:09:00.0 (gpu): there is no such function, the address must be one of this machine',
        '1234:1111 is at 0000:04:00.0 now: write that address for gpu in the profile',
      ],
    ],
  ],
  'another device at the address': [
    { devices: { disk: '01:00.0 1b36:0010' } },
    [
      [
        'wrong-device',
        'Cannot take 0000:01:00.0 (disk): it is 8086:10d3:8086:0000, must be 1b36:0010',
        '1b36:0010 is at 0000:02:00.0 and 0000:41:00.0 now: write the right one for disk in the profile',
      ],
    ],
  ],
  'another card of the same kind': [
    { devices: { nic: '01:00.0 8086:10d3:8086:0001' } },
    [
      [
        'wrong-device',
        'Cannot take 0000:01:00.0 (nic): it is 8086:10d3:8086:0000, must be 8086:10d3:8086:0001',
        `No function of this machine is 8086:10d3:8086:0001 now: ${SHOW}`,
      ],
    ],
  ],
  'nothing that fits': [
    { devices: { gpu: '10de:2684', nic: 'mac 52:54:00:aa:00:99' } },
    [
      ['no-device', 'Cannot find gpu: no function of this machine is 10de:2684, one must be', SHOW],
      [
        'no-device',
        'Cannot find nic: no function of this machine is mac 52:54:00:aa:00:99, one must be',
        'A function on a VFIO driver does not tell its MAC or serial number: name it by its address',
      ],
    ],
  ],
  'several that fit': [
    { devices: { disk: 'nvme' } },
    [
      [
        'ambiguous-device',
        'Cannot choose disk: 2 functions are nvme, it must be one',
        'Write an address or add an index, from "nvme index 0": 0000:02:00.0 and 0000:41:00.0',
      ],
    ],
  ],
  'an index too high': [
    { devices: { disk: 'nvme index 2' } },
    [
      [
        'no-device',
        'Cannot find disk: 2 functions are nvme, the index must be below that, not 2',
        'They are 0000:02:00.0 and 0000:41:00.0',
      ],
    ],
  ],
  'a bridge': [
    { devices: { port: '00:10.0' } },
    [
      [
        'bridge',
        'Cannot take 0000:00:10.0 (port): it is a PCI bridge, only functions behind it can be given',
        'Name what hangs on it instead; bridges stay as they are',
      ],
    ],
  ],
  'a group that is not viable': [
    { devices: { gpu: '04:00.0' } },
    [
      [
        'group-not-viable',
        'Cannot give IOMMU group 14 to the guest: 0000:04:00.1 (snd_hda_intel) belongs to it too, every member must go along or be without a driver',
        'Name it under [devices] too, or write "siblings = park" under [options] to leave it without a driver while the guest runs',
      ],
    ],
  ],
  'functions of the domain that are not there or not ready': [
    { domain: [hostdev('0000:09:00.0', true), hostdev('0000:01:00.0', false)] },
    [
      [
        'no-device',
        'Cannot give 0000:09:00.0 to the guest: there is no such function, the domain XML must name one of this machine',
        SHOW,
      ],
      [
        'unmanaged',
        "Cannot give 0000:01:00.0 to the guest: the domain has it as managed='no' and it is bound to e1000e, must be on a VFIO driver",
        "Name it under [devices] in the profile, or write managed='yes' in the domain XML",
      ],
    ],
  ],
  'what another guest holds': [
    { devices: { disk: '02:00.0' }, held: [heldBy('win11', '0000:02:00.0')] },
    [
      [
        'held-by-guest',
        'Cannot take 0000:02:00.0 (disk): guest win11 holds it, it must belong to one guest',
        'Stop win11 first (passqemu status)',
      ],
    ],
  ],
  'a group of which another guest holds a part': [
    { devices: { old: '06:01.0' }, options: { siblings: 'park' }, held: [heldBy('win11', '0000:06:02.0')] },
    [
      [
        'held-by-guest',
        'Cannot give IOMMU group 15 to the guest: 0000:06:02.0 of it is held by guest win11, a group must belong to one guest',
        'Stop win11 first (passqemu status)',
      ],
    ],
  ],
  'the disk that the host runs from': [
    { devices: { disk: '00:03.0' } },
    [
      [
        'in-use',
        'Cannot take 0000:00:03.0 (disk): / is mounted from vda, nothing of it must be in use',
        'The host runs from it: give the guest another disk',
      ],
    ],
  ],
};
for (const [title, [wanted, expected]] of Object.entries(CASES)) {
  test(`planDevices() refuses ${title}`, () => {
    assert.deepEqual(refusals(labMachine(), wanted), expected);
  });
}

test('planDevices() lists all reasons at once', () => {
  const ids = refusals(labMachine(), {
    devices: { a: '09:00.0', b: 'nvme', c: '00:03.0', d: '04:00.0', e: '00:10.0' },
    domain: [hostdev('0000:01:00.0', false)],
    held: [heldBy('win11', '0000:04:00.0')],
  }).map(([id]) => id);
  assert.deepEqual(ids, [
    'no-device',
    'ambiguous-device',
    'unmanaged',
    'in-use',
    'held-by-guest',
    'bridge',
    'group-not-viable',
  ]);
});

test('planDevices() refuses without an IOMMU', () => {
  const host = new FakeHost();
  addPciDevice(host, {
    address: '0000:01:00.0',
    vendor: '8086',
    device: '10d3',
    class: '020000',
    group: null,
    driver: 'e1000e',
  });
  assert.deepEqual(refusals(host, { devices: { nic: '01:00.0' } }), [
    [
      'no-iommu',
      'Cannot give PCI functions to a guest: the kernel has no IOMMU groups, an IOMMU must be on',
      'Switch VT-d or AMD-Vi (IOMMU) on in the firmware’s set-up; on Intel boot with intel_iommu=on as well',
    ],
  ]);
});

test('planDevices() refuses a function that the IOMMU leaves out, unless a driver may yet bring it in', () => {
  const host = labMachine();
  addPciDevice(host, {
    address: '0000:00:02.0',
    vendor: '8086',
    device: '9bc5',
    class: '030000',
    group: null,
    driver: 'i915',
  });
  assert.deepEqual(refusals(host, { devices: { gpu: '00:02.0' } }), [
    [
      'no-group',
      'Cannot take 0000:00:02.0 (gpu): it is in no IOMMU group, it must be in one',
      'The kernel leaves some devices out: see its log (journalctl -k -g iommu)',
    ],
  ]);
  host.write('/sys/bus/pci/drivers/i915/unbind', '0000:00:02.0');
  assert.deepEqual(planOn(host, { devices: { gpu: '00:02.0' } }).refusals, []);
});

test('planDevices() refuses a physical function with virtual functions, named or to be parked', () => {
  const host = new FakeHost();
  const nic = { vendor: '8086', device: '10c9', class: '020000', group: 5, driver: 'igb' };
  addPciDevice(host, { ...nic, address: '0000:07:00.0', sriov: { total: 7, enabled: 2 } });
  addPciDevice(host, { ...nic, address: '0000:07:00.1' });
  const remedy = 'Give the guest one of them, or write 0 to /sys/bus/pci/devices/0000:07:00.0/sriov_numvfs';
  const wanted = { options: { siblings: 'park' } } as const;
  assert.deepEqual(refusals(host, { ...wanted, devices: { nic: '07:00.0' } }), [
    [
      'virtual-functions',
      'Cannot take 0000:07:00.0 (nic): 2 virtual functions of it are enabled, there must be none',
      remedy,
    ],
  ]);
  assert.deepEqual(refusals(host, { ...wanted, devices: { nic: '07:00.1' } }), [
    [
      'virtual-functions',
      'Cannot take 0000:07:00.0 (of IOMMU group 5): 2 virtual functions of it are enabled, there must be none',
      remedy,
    ],
  ]);
});

test('planDevices() refuses where the kernel has no VFIO driver', () => {
  const host = labMachine();
  removeModule(host, 'vfio_pci');
  assert.deepEqual(refusals(host, { devices: { disk: '02:00.0' } }), [
    [
      'no-vfio-driver',
      'Cannot take 0000:02:00.0 (disk): the running kernel has no module vfio_pci, it must',
      'Install the package with the kernel’s extra modules, or a kernel with CONFIG_VFIO_PCI; after a kernel update, reboot',
    ],
  ]);
});

test('planDevices() refuses a member of the group that cannot be read, even where siblings may be parked', () => {
  const host = labMachine();
  host.drop('/sys/bus/pci/devices/0000:06:02.0');
  const [first] = refusals(host, { devices: { old: '06:01.0' }, options: { siblings: 'park' } });
  assert.deepEqual(first, [
    'group-not-viable',
    'Cannot give IOMMU group 15 to the guest: 0000:06:02.0 (cannot be read) belongs to it too, every member must go along or be without a driver',
    'See why it cannot be read (passqemu devices), then start the guest again',
  ]);
});

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
      'Stop gdm.service, by hand or with a prepare-first command, then start the guest again',
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

test('planDevices() says once that another guest holds a function, not also that it uses it', () => {
  const host = labMachine();
  const one = { address: '0000:42:00.0', vendor: '8086', device: '1', class: '020000', group: 30 };
  addPciDevice(host, { ...one, driver: 'vfio-pci' });
  openNode(host, 'qemu-system-x86', '/dev/vfio/30');
  const wanted = { devices: { nic: '42:00.0' }, held: [heldBy('win11', '0000:42:00.0')] };
  assert.deepEqual(
    refusals(host, wanted).map(([id]) => id),
    ['held-by-guest'],
  );
  assert.deepEqual(planOn(host, wanted).notes, []);
});

test('planDevices() says nothing of a bridge but that it is one', () => {
  assert.deepEqual(
    planOn(labMachine(), { devices: { port: '05:00.0' }, options: { siblings: 'park' } }).notes.slice(0, 1),
    ['0000:06:01.0 (of IOMMU group 15) is left without a driver while the guest runs'],
  );
});
