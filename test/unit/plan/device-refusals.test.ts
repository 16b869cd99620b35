import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openNode } from '../../fake/device-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice, removeModule } from '../../fake/pci-model.ts';
import { type Expected, heldBy, hostdev, planOn, refusals, type Wanted } from './plan-on.ts';

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
  const remedy = 'Give the guest one of them, or end them: passqemu sriov 0000:07:00.0 0';
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

test('planDevices() refuses a graphics card that does not answer, before anything is taken from it', () => {
  const headed = (header: Buffer) => {
    const host = labMachine().put('/sys/bus/pci/devices/0000:04:00.0/config', 'x');
    const read = host.readBytes.bind(host);
    host.readBytes = (path, limit) => (path.endsWith('/config') ? header : read(path, limit));
    return planOn(host, { devices: { gpu: '04:00.0', sound: '04:00.1' } }).refusals.map(({ id }) => id);
  };
  assert.deepEqual(headed(Buffer.alloc(64, 0xff)), ['silent']);
  // As a virtual function's, which has no ids of its own
  assert.deepEqual(headed(Buffer.concat([Buffer.alloc(4, 0xff), Buffer.alloc(60)])), []);
});
