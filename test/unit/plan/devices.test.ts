import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevicePicture } from '../../../lib/host/read-device-picture.ts';
import { planDevices } from '../../../lib/plan/devices.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addModule, addPciDevice, loadDriver, removeModule } from '../../fake/pci-model.ts';
import { hostdev, planOn, stepLines, type Wanted } from './plan-on.ts';

const NIC_NOTE =
  '0000:01:00.0 (nic): what is set on a network card (addresses, bridge or bond, number of virtual functions) does not come back by itself; a release-last command can see to that';

test('planDevices() loads what is missing, then binds', () => {
  const plan = planOn(labMachine(), { devices: { nic: '01:00.0' } });
  assert.deepEqual(plan, {
    steps: [
      { kind: 'module', name: 'vfio_pci', target: 'vfio_pci', from: 'not loaded', to: 'loaded' },
      {
        kind: 'module',
        name: 'vfio_iommu_type1',
        target: 'vfio_iommu_type1',
        from: 'not loaded',
        to: 'loaded',
      },
      {
        kind: 'driver',
        address: '0000:01:00.0',
        driver: 'vfio-pci',
        deadlineMs: 20_000,
        target: '0000:01:00.0',
        from: 'e1000e',
        to: 'vfio-pci',
      },
    ],
    refusals: [],
    notes: [NIC_NOTE],
  });
});

test('planDevices() has nothing to do where nobody asks for anything', () => {
  assert.deepEqual(planOn(labMachine(), {}), { steps: [], refusals: [], notes: [] });
});

/** A machine that has its VFIO modules loaded, so that only `driver` steps remain. */
function readyMachine(): FakeHost {
  const host = labMachine();
  addModule(host, 'mlx5_vfio_pci');
  loadDriver(host, 'vfio-pci');
  host.put('/sys/module/vfio_iommu_type1/initstate', 'live\n');
  return host;
}

const GPU_LAST = [
  'driver 0000:02:00.0 nvme -> vfio-pci',
  'driver 0000:04:00.1 snd_hda_intel -> vfio-pci',
  'driver 0000:04:00.0 bochs-drm -> vfio-pci',
  'driver 0000:41:00.0 nvme -> vfio-pci',
];
const CASES: Readonly<Record<string, readonly [Wanted, readonly string[]]>> = {
  'what belongs to a card goes before its display function': [
    { devices: { far: '41:00.0', gpu: '04:00.0', sound: '04:00.1', disk: '02:00.0' } },
    GPU_LAST,
  ],
  'a sibling is parked where the profile allows it': [
    { devices: { old: '06:01.0' }, options: { siblings: 'park' } },
    ['driver 0000:06:01.0 e1000 -> vfio-pci', 'driver 0000:06:02.0 ehci-pci -> null'],
  ],
  'a display function is parked last, too': [
    { devices: { sound: '04:00.1' }, options: { siblings: 'park' } },
    ['driver 0000:04:00.1 snd_hda_intel -> vfio-pci', 'driver 0000:04:00.0 bochs-drm -> null'],
  ],
  'managed functions of the domain are taken': [
    { domain: [hostdev('0000:02:00.0', true), hostdev('0000:01:00.0', true)] },
    ['driver 0000:01:00.0 e1000e -> vfio-pci', 'driver 0000:02:00.0 nvme -> vfio-pci'],
  ],
  'a function named by profile and domain is taken once': [
    {
      devices: { disk: 'serial LABNVME0' },
      domain: [hostdev('0000:02:00.0', false), hostdev('0000:02:00.0', true)],
    },
    ['driver 0000:02:00.0 nvme -> vfio-pci'],
  ],
  'managed functions are left to libvirt where the profile says so': [
    { domain: [hostdev('0000:02:00.0', true)], options: { managed: 'leave' } },
    [],
  ],
  'siblings of what libvirt takes are parked all the same': [
    { domain: [hostdev('0000:06:01.0', true)], options: { managed: 'leave', siblings: 'park' } },
    ['driver 0000:06:02.0 ehci-pci -> null'],
  ],
  'the domain’s own driver wins': [
    { domain: [hostdev('0000:01:00.0', true, 'mlx5_vfio_pci')] },
    ['module mlx5_vfio_pci', 'driver 0000:01:00.0 e1000e -> mlx5_vfio_pci'],
  ],
  'selectors mean what they find': [
    { devices: { gpu: 'gpu', sound: '8086:293e', nic: 'mac 52:54:00:aa:00:01', disk: 'nvme index 1' } },
    [
      'driver 0000:01:00.0 e1000e -> vfio-pci',
      'driver 0000:04:00.1 snd_hda_intel -> vfio-pci',
      'driver 0000:04:00.0 bochs-drm -> vfio-pci',
      'driver 0000:41:00.0 nvme -> vfio-pci',
    ],
  ],
  'an identity that fits is no obstacle': [
    { devices: { disk: '02:00.0 1b36:0010:1af4:1100' } },
    ['driver 0000:02:00.0 nvme -> vfio-pci'],
  ],
};
for (const [title, [wanted, expected]] of Object.entries(CASES)) {
  test(`planDevices(): ${title}`, () => {
    const plan = planOn(readyMachine(), wanted);
    assert.deepEqual({ refusals: plan.refusals, steps: stepLines(plan) }, { refusals: [], steps: expected });
  });
}

test('planDevices() keeps a function that is on VFIO already where it is, as the guest’s claim', () => {
  const host = readyMachine();
  for (const address of ['0000:06:01.0', '0000:06:02.0']) {
    host.write(`/sys/bus/pci/devices/${address}/driver_override`, 'vfio-pci');
    host.write(`/sys/bus/pci/devices/${address}/driver/unbind`, address);
    host.write('/sys/bus/pci/drivers_probe', address);
  }
  const plan = planOn(host, { devices: { old: '06:01.0' }, domain: [hostdev('0000:06:02.0', false)] });
  assert.deepEqual(stepLines(plan), [
    'driver 0000:06:01.0 vfio-pci -> vfio-pci',
    'driver 0000:06:02.0 vfio-pci -> vfio-pci',
  ]);
  assert.deepEqual(plan.refusals, []);
  assert.deepEqual(plan.notes, [
    '0000:06:01.0 (old) is on vfio-pci already and stays there',
    '0000:06:02.0 is on vfio-pci already and stays there',
    '0000:06:02.0 cannot be reset: a second start may find it as the first one left it',
  ]);
});

test("planDevices() tells what libvirt makes of managed='no', where the host's driver has the function", () => {
  const notes = (domain: ReturnType<typeof hostdev>) =>
    planOn(readyMachine(), { devices: { nic: '01:00.0' }, domain: [domain] }).notes.filter((note) =>
      note.includes("managed='no'"),
    );
  assert.deepEqual(notes(hostdev('0000:01:00.0', true)), []);
  assert.match(
    notes(hostdev('0000:01:00.0', false))[0]!,
    /^0000:01:00.0 \(nic\) is managed='no' in the domain/,
  );
});

test('planDevices() leaves driverless siblings, stubs and bridges alone', () => {
  const host = readyMachine();
  host.write('/sys/bus/pci/drivers/ehci-pci/unbind', '0000:06:02.0');
  assert.deepEqual(stepLines(planOn(host, { devices: { old: '06:01.0' } })), [
    'driver 0000:06:01.0 e1000 -> vfio-pci',
  ]);
  const stubbed = new FakeHost();
  const function_ = { vendor: '8086', device: '1533', class: '020000', group: 1 };
  addPciDevice(stubbed, { ...function_, address: '0000:01:00.0', driver: 'igb' });
  addPciDevice(stubbed, { ...function_, address: '0000:01:00.1', driver: 'pci-stub' });
  addPciDevice(stubbed, { ...function_, address: '0000:00:01.0', class: '060400', driver: 'pcieport' });
  loadDriver(stubbed, 'vfio-pci');
  assert.deepEqual(stepLines(planOn(stubbed, { devices: { nic: '01:00.0' } })).slice(-1), [
    'driver 0000:01:00.0 igb -> vfio-pci',
  ]);
  assert.deepEqual(planOn(stubbed, { devices: { nic: '01:00.0' } }).refusals, []);
});

test('planDevices() tells of a bridge whose driver newer kernels may not accept', () => {
  const host = new FakeHost();
  const one = { vendor: '8086', device: '1533', group: 1 };
  addPciDevice(host, { ...one, address: '0000:01:00.0', class: '010802', driver: 'nvme' });
  addPciDevice(host, { ...one, address: '0000:00:01.0', class: '060400', driver: 'shpchp' });
  const { notes, refusals } = planOn(host, { devices: { disk: '01:00.0' } });
  assert.deepEqual(refusals, []);
  assert.deepEqual(notes, [
    'The bridge 0000:00:01.0 of IOMMU group 1 is bound to shpchp: kernels from 5.19 on may refuse the group for that',
  ]);
});

test('planDevices() does not ask for vfio_iommu_type1 where the kernel has none', () => {
  const host = labMachine();
  removeModule(host, 'vfio_iommu_type1');
  assert.deepEqual(stepLines(planOn(host, { devices: { disk: '02:00.0' } })), [
    'module vfio_pci',
    'driver 0000:02:00.0 nvme -> vfio-pci',
  ]);
});

test('planDevices() tries to load what nobody can tell of', () => {
  const host = labMachine();
  host.drop('/lib/modules');
  assert.deepEqual(stepLines(planOn(host, { devices: { disk: '02:00.0' } })), [
    'module vfio_pci',
    'driver 0000:02:00.0 nvme -> vfio-pci',
  ]);
});

test('planDevices() tells what does not survive and what goes dark', () => {
  const host = readyMachine();
  host.put('/sys/bus/pci/devices/0000:04:00.0/boot_vga', '1\n');
  host.drop('/sys/class/input/input0');
  const { notes } = planOn(host, { devices: { gpu: '04:00.0', sound: '04:00.1', usb: '03:00.0' } });
  assert.deepEqual(notes, [
    '0000:04:00.0 (gpu) is the display that the machine started on: its console goes dark',
    '0000:04:00.1 (sound) cannot be reset: a second start may find it as the first one left it',
    '0000:03:00.0 (usb): the only keyboard of the machine goes with it (QEMU USB Keyboard)',
  ]);
});

test('planDevices() tells of functions of the same card that stay behind where only the whole card can be reset', () => {
  const host = readyMachine();
  // Of a group of its own, so that only the reset is in question
  host.drop('/sys/kernel/iommu_groups/14/devices/0000:04:00.1');
  const { notes } = planOn(host, { devices: { gpu: '04:00.0' } });
  assert.deepEqual(notes, [
    '0000:04:00.0 (gpu): 0000:04:00.1 of the same card stays with the host, but the card can only be reset as a whole',
  ]);
  host.put('/sys/bus/pci/devices/0000:04:00.0/reset_method', 'flr bus\n');
  assert.deepEqual(planOn(host, { devices: { gpu: '04:00.0' } }).notes, []);
});

test('planDevices() says what of a network card is set now', () => {
  const host = readyMachine();
  host.put('/proc/net/if_inet6', `fd00${'0'.repeat(28)} 02 40 00 80   enp1s0\n`);
  const { notes } = planOn(host, { devices: { nic: '01:00.0' } });
  assert.deepEqual(notes, [`${NIC_NOTE} (now: enp1s0 has addresses)`]);
});

test('planDevices() tells what is left to libvirt and which processes it could not see', () => {
  const host = readyMachine();
  const wishes = {
    requests: [],
    siblings: 'refuse',
    managed: 'leave',
    allowDefaultRoute: false,
    keepAwake: 'display',
    resetMethods: [],
    barSizes: [],
    deadlineMs: 1,
  } as const;
  const domainFunctions = [hostdev('0000:02:00.0', true)];
  const picture = { ...readDevicePicture(host, [], domainFunctions), unseen: 3 };
  assert.deepEqual(planDevices({ wishes, domainFunctions, picture, held: [] }).notes, [
    '0000:02:00.0 is left to libvirt (managed = leave)',
    'The open files of 3 processes cannot be seen: only root learns whether they hold a device',
  ]);
});
