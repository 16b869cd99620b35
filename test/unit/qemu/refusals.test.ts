import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QemuCapabilities, RunPicture } from '../../../lib/host/run-picture.ts';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { planRun, stableUuid } from '../../../lib/qemu/plan-run.ts';
import { RefusedError } from '../../../lib/words/errors.ts';
import { DEBIAN_FIRMWARE, facts, goldenPicture, goldenQemu } from '../../golden/golden-picture.ts';

/** The refusals of a profile on a host and a QEMU that lack something, as "id: sentence". */
function refusalsOf(
  text: string,
  picture: Partial<RunPicture> = {},
  qemu: Partial<QemuCapabilities> = {},
): string[] {
  const whole = parseRunProfile(text, { guest: 'g', path: '/g.ini' });
  try {
    planRun(whole, { ...goldenPicture(whole), ...picture }, { ...goldenQemu(), ...qemu });
    return [];
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    return error.refusals.map(({ id, summary }) => `${id}: ${summary}`);
  }
}

const BIOS = '[firmware]\ntype = bios\n';
const DISK = `${BIOS}[disk a]\nsource = /srv/a.raw\n`;
const without = (set: ReadonlySet<string>, name: string) => new Set([...set].filter((one) => one !== name));
const QEMU = goldenQemu();
const running = (over: Partial<RunPicture['running'][number]>): RunPicture['running'] => [
  { pid: 42, guest: 'other', uuid: null, files: new Set(), ...over },
];

const CASES: readonly (readonly [
  string,
  string,
  Partial<RunPicture>,
  Partial<QemuCapabilities>,
  readonly string[],
])[] = [
  [
    'no KVM',
    BIOS,
    { kvm: 'missing' },
    {},
    ['no-kvm: Cannot start g: the kernel has no KVM, the processor’s virtualization must be on'],
  ],
  [
    'KVM for others only',
    BIOS,
    { kvm: 'denied' },
    {},
    ['kvm-denied: Cannot start g: this user may not open /dev/kvm'],
  ],
  [
    'a QEMU without KVM',
    BIOS,
    {},
    { accelerators: new Set(['tcg']) },
    ['qemu-lacks: Cannot start g: /usr/bin/qemu-system-x86_64 (10.0.2) does not have KVM'],
  ],
  [
    'a missing file',
    DISK,
    { files: new Map() },
    {},
    ['file-missing: Cannot find [disk a]: there is no /srv/a.raw'],
  ],
  [
    'a folder as a disk',
    DISK,
    { files: new Map([['/srv/a.raw', facts('folder')]]) },
    {},
    ['file-kind: Cannot use /srv/a.raw as [disk a]: it is a folder, it must be a file or block'],
  ],
  [
    'a disk of another guest',
    DISK,
    { running: running({ files: new Set(['/srv/a.raw']) }) },
    {},
    ['disk-in-use: Cannot give /srv/a.raw to g as [disk a]: other has it'],
  ],
  [
    'a disk of a QEMU without a name',
    DISK,
    { running: running({ guest: null, files: new Set(['/srv/a.raw']) }) },
    {},
    ['disk-in-use: Cannot give /srv/a.raw to g as [disk a]: QEMU (process 42) has it'],
  ],
  [
    'a disk of another guest by a link',
    DISK,
    {
      running: running({ files: new Set(['/dev/dm-3']) }),
      realPaths: new Map([['/srv/a.raw', '/dev/dm-3']]),
    },
    {},
    ['disk-in-use: Cannot give /srv/a.raw to g as [disk a]: other has it'],
  ],
  [
    'one disk by two names',
    `${DISK}[disk b]\nsource = /srv/b.raw\n`,
    { realPaths: new Map([['/srv/b.raw', '/srv/a.raw']]) },
    {},
    ['disk-twice: Cannot give /srv/b.raw to g as [disk b]: it is that of [disk a]'],
  ],
  [
    'a guest that runs',
    BIOS,
    { running: running({ guest: 'g' }) },
    {},
    ['running: Cannot start g: it runs already, as process 42'],
  ],
  [
    'a guest that runs under another name',
    BIOS,
    { running: running({ uuid: stableUuid('g') }) },
    {},
    ['running: Cannot start g: it runs already, as process 42'],
  ],
  [
    'a mounted block device',
    `${BIOS}[disk a]\nsource = /dev/sda\n`,
    { busyDisks: new Set(['/dev/sda']) },
    {},
    ['disk-busy: Cannot give /dev/sda to the guest as [disk a]: the host uses it'],
  ],
  [
    'a forwarded port in use',
    `${BIOS}[network n]\nforward = tcp:2222:22 udp:2222:5\n`,
    { portsInUse: new Set(['tcp:2222']) },
    {},
    ['port-in-use: Cannot forward tcp port 2222 by [network n]: another program listens on it'],
  ],
  [
    'a display port in use',
    `${BIOS}[display]\ntype = vnc\nport = 5901\n`,
    { portsInUse: new Set(['tcp:5901']) },
    {},
    ['port-in-use: Cannot show the guest at port 5901: another program listens on it'],
  ],
  [
    'a QEMU too old for a device',
    `${BIOS}[audio]\ntype = spice\ncard = virtio\n[display]\ntype = spice\nsocket = /s\n`,
    {},
    { devices: without(QEMU.devices, 'virtio-sound-pci'), version: [7, 2, 22] },
    [
      'qemu-lacks: Cannot start g: /usr/bin/qemu-system-x86_64 (7.2.22) does not have the device virtio-sound-pci',
    ],
  ],
  [
    'a QEMU without iommufd',
    `${BIOS}[machine]\niommufd = yes\n[devices]\nn = 01:00.0\n`,
    {},
    { objects: without(QEMU.objects, 'iommufd') },
    [
      'qemu-lacks: Cannot start g: /usr/bin/qemu-system-x86_64 (10.0.2) does not have iommufd',
      'qemu-lacks: Cannot start g: /usr/bin/qemu-system-x86_64 (10.0.2) does not have the object iommufd',
    ],
  ],
  [
    'a kernel without iommufd',
    `${BIOS}[machine]\niommufd = yes\n[devices]\nn = 01:00.0\n`,
    { iommufd: false },
    {},
    [
      'no-iommufd: Cannot give functions of g by iommufd: the kernel has no /dev/iommu or no character devices for them',
    ],
  ],
  [
    'a QEMU without PipeWire',
    `${BIOS}[audio]\ntype = pipewire\n`,
    {},
    { audioDrivers: new Set() },
    [
      'qemu-lacks: Cannot start g: /usr/bin/qemu-system-x86_64 (10.0.2) does not have the audio driver pipewire',
    ],
  ],
  [
    'no firmware',
    '[machine]\n',
    { firmware: [] },
    {},
    ['no-firmware: Cannot start g: there is no UEFI firmware without Secure Boot for q35 on this host'],
  ],
  [
    'no Secure Boot firmware',
    '[firmware]\nsecure-boot = yes\n',
    { firmware: DEBIAN_FIRMWARE.slice(2) },
    {},
    [
      'no-firmware: Cannot start g: there is no UEFI firmware with Secure Boot and enrolled keys for q35 on this host',
    ],
  ],
  [
    'code and variables of two sizes',
    '[machine]\n',
    { firmware: [{ ...DEBIAN_FIRMWARE[2]!, templateBytes: 131_072 }] },
    {},
    [
      'firmware-sizes: Cannot use /usr/share/OVMF/OVMF_CODE_4M.fd with /usr/share/OVMF/OVMF_VARS_4M.fd: they have 3653632 and 131072 bytes, must have 2 or 4 MiB together',
    ],
  ],
  [
    'the template as the guest’s variables',
    '[firmware]\nvars = /usr/share/OVMF/OVMF_VARS_4M.fd\n',
    {},
    {},
    [
      'shared-variables: Cannot use /usr/share/OVMF/OVMF_VARS_4M.fd as the guest’s variables: it is the template for all guests',
    ],
  ],
  [
    'a CPU that is not online',
    `${BIOS}[cpu]\npins = 2 99\n`,
    {},
    {},
    ['cpu-offline: Cannot place vCPUs of g on CPU 99: it is not online'],
  ],
  [
    'an unknown user',
    `${BIOS}[machine]\nuser = nobody2\n`,
    { user: null },
    {},
    ['no-user: Cannot run QEMU as nobody2: there is no such user'],
  ],
  [
    'a bridge that is not there',
    `${BIOS}[network n]\ntype = bridge\nbridge = br9\n`,
    { interfaces: new Map() },
    {},
    ['no-interface: Cannot connect [network n]: there is no interface br9'],
  ],
  [
    'no swtpm',
    `${BIOS}[tpm]\ntype = swtpm\n`,
    { programs: { swtpm: null, swtpmSetup: null, virtiofsd: null, bridgeHelper: null } },
    {},
    ['no-swtpm: Cannot give g a TPM: swtpm is not installed'],
  ],
  [
    'a slot twice',
    `${DISK}slot = 5\n[network n]\nslot = 5\n`,
    {},
    {},
    ['slot-taken: Cannot put [network n] into slot 5: [disk a] is to be there'],
  ],
  [
    'a slot of the board',
    `${DISK}slot = 31\n`,
    {},
    {},
    ['slot-taken: Cannot put [disk a] into slot 31: the board has something there'],
  ],
  [
    'memory that is no whole pages',
    `${BIOS}[machine]\nmemory = 1025M\n[memory]\nhugepages = 2M\n`,
    {},
    {},
    ['odd-memory: Cannot back the memory of g with pages of 2048 KiB: it is no multiple of them'],
  ],
  [
    'huge pages from a folder that is no hugetlbfs',
    `${BIOS}[machine]\nmemory-backend = file\nmemory-path = /srv\n[memory]\nhugepages = 2M\n`,
    {},
    {},
    ['no-hugetlbfs: Cannot take memory from /srv: there is no hugetlbfs of 2048 KiB pages mounted there'],
  ],
  [
    'a function that is not there',
    `${BIOS}[devices]\ngpu = 01:00.0\n`,
    { functions: new Map([['gpu', null]]) },
    {},
    ['device-unclear: Cannot give gpu to g: there is no such function, or more than one'],
  ],
  [
    'two functions of one number',
    `${BIOS}[devices]\na = 01:00.0\nb = 02:00.0\n[device b]\nwith = a\n`,
    {},
    {},
    ['same-function: Cannot give a and b as one card: two of them have the same function number'],
  ],
];

for (const [what, text, picture, qemu, refusals] of CASES) {
  test(`planRun() refuses ${what}`, () => assert.deepEqual(refusalsOf(text, picture, qemu), refusals));
}

test('planRun() tells all reasons at once', () => {
  const all = refusalsOf(DISK, { kvm: 'missing', files: new Map() });
  assert.deepEqual(
    all.map((one) => one.split(':')[0]),
    ['no-kvm', 'file-missing'],
  );
});

test('planRun() takes more SATA drives than the board has ports for an error', () => {
  const text =
    BIOS + Array.from({ length: 7 }, (_, at) => `[disk d${at}]\nsource = /srv/${at}\nbus = sata\n`).join('');
  assert.deepEqual(refusalsOf(text), [
    'no-port: Cannot give g more than 6 SATA or IDE drives: the board has no more ports',
  ]);
});
