import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../launchers/command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../launchers/commands.ts';
import { devices } from '../../../launchers/devices.ts';
import type { DeviceReport, DevicesReport } from '../../../launchers/devices-report.ts';
import type { Globals } from '../../../launchers/globals.ts';
import { appendLine, createJournal } from '../../../lib/apply/journal.ts';
import type { Host } from '../../../lib/host/host.ts';
import { HostError } from '../../../lib/words/errors.ts';
import { openNode, putMounts } from '../../fake/device-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { addPciDevice } from '../../fake/pci-model.ts';
import { heldBy } from '../plan/plan-on.ts';

const STATE = '/run/passqemu';

async function run(host: Host, ...argv: readonly string[]): Promise<string> {
  const options = COMMANDS.find(({ name }) => name === 'devices')!.options;
  const line = parseCommandLine(argv, [...options, ...GLOBAL_OPTIONS]);
  const lines: string[] = [];
  const globals: Globals = {
    host,
    configDir: '/etc/passqemu',
    stateDir: STATE,
    stateDirGiven: false,
    json: line.has('json'),
    quiet: false,
    verbose: false,
    colour: false,
    out: (text) => void lines.push(text),
    err: (text) => assert.fail(text),
  };
  assert.equal(await devices(line, globals), 0);
  return lines.join('\n');
}

async function report(host: Host, ...argv: readonly string[]): Promise<DevicesReport> {
  return JSON.parse(await run(host, '--json', ...argv)) as DevicesReport;
}

async function one(host: Host, address: string): Promise<DeviceReport> {
  return (await report(host)).devices.find((device) => device.address === address)!;
}

/** A guest that holds the sound function. */
function putJournal(host: FakeHost, guest: string): void {
  const header = {
    passqemu: 1,
    version: '1',
    guest,
    uuid: null,
    bootId: 'unknown',
    at: 0,
    inputs: '',
  } as const;
  const journal = createJournal(host, `${STATE}/${guest}.jsonl`, header, { kind: 'person' });
  const { step, was } = heldBy(guest, '0000:04:00.1');
  appendLine(host, journal, { t: 'do', i: 0, at: 0, step, was });
}

test('devices --json tells all that the contract lists, of one function', async () => {
  const host = labMachine();
  host.put(
    '/usr/share/misc/pci.ids',
    '8086  Intel Corporation\n\t293e  82801I (ICH9 Family) HD Audio Controller\n',
  );
  putJournal(host, 'win11');
  const pid = openNode(host, 'wireplumber', '/dev/snd/controlC0', '/user.slice/wireplumber.service');
  assert.deepEqual(await one(host, '0000:04:00.1'), {
    address: '0000:04:00.1',
    vendorId: '8086',
    deviceId: '293e',
    subsystemVendorId: '1af4',
    subsystemId: '1100',
    classCode: '040300',
    isBridge: false,
    parent: '0000:00:10.3',
    interfaces: [],
    disks: [],
    driver: 'snd_hda_intel',
    driverOverride: '',
    group: 14,
    node: null,
    bootVga: false,
    resetMethods: [],
    resettable: false,
    bars: [],
    sriov: null,
    physicalFunction: null,
    virtualFunctions: [],
    powerState: 'D0',
    name: 'Intel Corporation 82801I (ICH9 Family) HD Audio Controller',
    usb: null,
    heldBy: 'win11',
    heldByKnown: true,
    inUse: [],
    openBy: [{ pid, comm: 'wireplumber', unit: 'wireplumber.service', node: '/dev/snd/controlC0' }],
  });
});

test('devices --json tells IOMMU, groups and who blocks them', async () => {
  const host = labMachine();
  host.write('/sys/bus/pci/drivers/ehci-pci/unbind', '0000:06:02.0');
  const { iommu, groups } = await report(host);
  assert.deepEqual(iommu, { enabled: true, units: ['dmar0'] });
  assert.deepEqual(
    groups.filter(({ id }) => [4, 14, 15].includes(id)),
    [
      { id: 4, addresses: ['0000:00:10.0'], viable: true, blockers: [] },
      {
        id: 14,
        addresses: ['0000:04:00.0', '0000:04:00.1'],
        viable: false,
        blockers: [
          { address: '0000:04:00.0', driver: 'bochs-drm' },
          { address: '0000:04:00.1', driver: 'snd_hda_intel' },
        ],
      },
      {
        id: 15,
        addresses: ['0000:05:00.0', '0000:06:01.0', '0000:06:02.0'],
        viable: false,
        blockers: [{ address: '0000:06:01.0', driver: 'e1000' }],
      },
    ],
  );
});

test('devices --json tells what the host does with a function and what hangs on a USB controller', async () => {
  const host = labMachine();
  putMounts(host, '8:0 / /media/stick vfat /dev/sda');
  const { usb, inUse } = await one(host, '0000:03:00.0');
  assert.deepEqual(
    usb?.map(({ bus, devices: list }) => [bus, list.map(({ id }) => id)]),
    [
      [1, ['0627:0001']],
      [2, ['46f4:0001']],
    ],
  );
  assert.deepEqual(inUse, [
    { why: 'usb-storage-mounted', what: '/media/stick', on: 'sda', severity: 'refuse' },
    { why: 'usb-keyboard', what: 'QEMU USB Keyboard', on: 'QEMU USB Keyboard', severity: 'note' },
  ]);
  assert.deepEqual((await one(host, '0000:00:10.2')).inUse, []);
});

test('devices knows from the summary what an ordinary user may not read, and says where it does not know', async () => {
  const host = labMachine();
  putJournal(host, 'win11');
  const asUser = new Proxy(host, {
    get(target, name) {
      if (name === 'readBytes') {
        return (path: string) => {
          throw new HostError(`Cannot read ${path}: EACCES`, { code: 'EACCES', path });
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const held = async () => {
    const { heldBy: guest, heldByKnown } = await one(asUser, '0000:04:00.1');
    return [guest, heldByKnown];
  };
  assert.deepEqual(await held(), [null, false]);
  host.put(
    `${STATE}/summary.json`,
    '{"guests":[{"guest":"win11","uuid":null,"steps":[{"kind":"driver","target":"0000:04:00.1","to":"vfio-pci"}]}]}\n',
  );
  assert.deepEqual(await held(), ['win11', true]);
  host.put(`${STATE}/summary.json`, '{"guests":');
  assert.deepEqual(await held(), [null, false]);
});

test('devices tells the bridge a function hangs on, its interfaces and its disks', async () => {
  const host = labMachine();
  const told = async (address: string) => {
    const { parent, interfaces, disks } = await one(host, address);
    return [parent, interfaces, disks];
  };
  assert.deepEqual(await told('0000:06:01.0'), ['0000:05:00.0', ['ens1'], []]);
  assert.deepEqual(await told('0000:41:00.0'), ['0000:40:00.0', [], ['nvme1n1']]);
  assert.deepEqual(await told('0000:00:03.0'), [null, [], ['vda']]);
  assert.match(await run(host, '01:00.0'), /driver e1000e · behind 0000:00:10\.0 · enp1s0 · reset pm bus/);
});

test('devices filters by kind and by text', async () => {
  const addresses = async (...argv: readonly string[]) =>
    (await report(labMachine(), ...argv)).devices.map(({ address }) => address);
  assert.deepEqual(await addresses('--gpu'), ['0000:04:00.0']);
  assert.deepEqual(await addresses('--nic'), ['0000:01:00.0', '0000:06:01.0']);
  assert.deepEqual(await addresses('--usb', '--nvme'), [
    '0000:02:00.0',
    '0000:03:00.0',
    '0000:06:02.0',
    '0000:41:00.0',
  ]);
  assert.deepEqual(await addresses('--nvme', '41:'), ['0000:41:00.0']);
  assert.deepEqual(await addresses('E1000E'), ['0000:01:00.0']);
  assert.deepEqual(await addresses('8086:293e'), ['0000:04:00.1']);
  assert.deepEqual(await addresses('nothing'), []);
  assert.equal(await run(labMachine(), 'nothing'), 'No PCI function fits');
});

test('devices shows people the groups of what they asked for, whole', async () => {
  const host = labMachine();
  putJournal(host, 'win11');
  openNode(host, 'Xorg', '/dev/dri/card1', '/system.slice/gdm.service');
  assert.equal(
    await run(host, '--gpu'),
    `IOMMU group 14: cannot be passed now: 0000:04:00.1 is held by guest win11
  0000:04:00.0 Display [1234:1111]
      driver bochs-drm · behind 0000:00:10.3 · reset bus · BARs 16 MiB, 4 KiB
      /dev/dri/card1 open by Xorg (gdm.service)
  0000:04:00.1 Sound [8086:293e]
      driver snd_hda_intel · behind 0000:00:10.3 · no reset
      held by guest win11`,
  );
});

test('devices says which groups can be passed', async () => {
  const heads = (await run(labMachine())).split('\n').filter((line) => line.startsWith('IOMMU group'));
  assert.deepEqual(heads, [
    'IOMMU group 2: cannot be passed now: 0000:00:03.0: / is mounted from vda',
    ...[4, 5, 6, 7, 8].map((group) => `IOMMU group ${group}: bridges only, nothing to pass`),
    ...[11, 12, 13].map((group) => `IOMMU group ${group}: can be passed`),
    'IOMMU group 14: can be passed as a whole (2 functions)',
    'IOMMU group 15: can be passed as a whole (2 functions)',
    'IOMMU group 16: bridges only, nothing to pass',
    'IOMMU group 17: can be passed',
  ]);
});

test('devices lists the functions of a machine without an IOMMU, and says that nothing can be passed', async () => {
  const host = new FakeHost();
  addPciDevice(host, {
    address: '0000:01:00.0',
    vendor: '8086',
    device: '10d3',
    class: '020000',
    group: null,
    driver: 'e1000e',
  });
  assert.equal(
    await run(host),
    `No IOMMU: nothing can be passed. Switch VT-d or AMD-Vi (IOMMU) on in the firmware’s set-up; on Intel boot with intel_iommu=on as well.
In no IOMMU group
  0000:01:00.0 Network card [8086:10d3]
      driver e1000e · reset flr pm`,
  );
});

test('devices --tree shows each function below the bridges it hangs on, with its group’s verdict', async () => {
  const lines = (await run(labMachine(), '--tree', 'e1000')).split('\n');
  assert.deepEqual(
    lines.map((line) => line.replace(/^([│├└─ ]*)(\S+).* · (group .*)$/, '$1$2 $3')),
    [
      'Root bus 0000:00',
      '├─ 0000:00:10.0 group 4',
      '│  └─ 0000:01:00.0 group 11 · can be passed',
      '└─ 0000:00:10.4 group 8',
      '   └─ 0000:05:00.0 group 15',
      '      └─ 0000:06:01.0 group 15 · can be passed as a whole (2 functions)',
    ],
  );
});

test('devices --tree has a root for each host bridge, and what cannot be passed tells why', async () => {
  const host = labMachine();
  putMounts(host, '259:0 / /srv ext4 /dev/nvme0n1');
  const text = await run(host, '--tree');
  assert.match(text, /^Root bus 0000:40$/m);
  assert.match(text, /02:00\.0 .* · cannot be passed now: 0000:02:00\.0: \/srv is mounted from nvme0n1$/m);
  assert.equal(await run(host, '--tree', 'no such thing'), 'No PCI function fits');
});

test('devices tells the whole path of a function, also of one that was asked for alone', async () => {
  assert.match(await run(labMachine(), 'e1000'), /behind 0000:00:10\.4 → 0000:05:00\.0 · /);
});
