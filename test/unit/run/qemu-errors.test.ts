import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { explainQemu } from '../../../lib/run/qemu-errors.ts';

/** What QEMU 7.2 and 10.0 print, with the id of what we say about it. */
const SAID: readonly (readonly [string, readonly string[]])[] = [
  [
    'qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 1 is not viable\nPlease ensure all devices within the iommu_group are bound to their vfio bus driver.',
    ['group-not-viable'],
  ],
  [
    'qemu-system-x86_64: -device vfio-pci,host=01:00.0: vfio 0000:01:00.0: no iommu_group found: No such file or directory',
    ['no-iommu'],
  ],
  ['qemu-system-x86_64: vfio: Unable to power on device, stuck in D3', ['stuck-in-d3']],
  [
    'qemu-system-x86_64: VFIO_MAP_DMA failed: Cannot allocate memory\nqemu-system-x86_64: vfio_dma_map(0x55, 0x0, 0xa0000, 0x7f) = -12 (Cannot allocate memory)',
    ['memlock'],
  ],
  ['qemu-system-x86_64: VFIO_MAP_DMA failed: Invalid argument', ['dma-address-width']],
  ['qemu-system-x86_64: vfio_dma_map: VFIO_MAP_DMA failed: Bad address', ['dma-map']],
  [
    'qemu-system-x86_64: -device vfio-pci: Failed to mmap 0000:01:00.0 BAR 1. Performance may be slow',
    ['bar'],
  ],
  ['qemu-system-x86_64: vfio: Cannot reset device 0000:01:00.0, no available reset mechanism.', ['no-reset']],
  [
    'qemu-system-x86_64: -device vfio-pci: vfio 0000:01:00.0: failed to open /dev/vfio/14: Device or resource busy',
    ['group-busy'],
  ],
  [
    'qemu-system-x86_64: -device vfio-pci: vfio 0000:01:00.0: failed to open /dev/vfio/14: Permission denied',
    ['group-permission'],
  ],
  [
    'qemu-system-x86_64: -device vfio-pci: vfio 0000:01:00.0: no such host device: No such file or directory',
    ['no-such-device'],
  ],
  [
    'Could not access KVM kernel module: No such file or directory\nqemu-system-x86_64: failed to initialize kvm: No such file or directory',
    ['kvm-missing'],
  ],
  ['Could not access KVM kernel module: Permission denied', ['kvm-permission']],
  [
    'ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy\nqemu-system-x86_64: failed to initialize kvm: Device or resource busy',
    ['kvm-busy'],
  ],
  [
    'qemu-system-x86_64: -drive file=a: Failed to get "write" lock\nIs another process using the image [a]?',
    ['disk-in-use'],
  ],
  [
    "qemu-system-x86_64: -blockdev driver=raw,node-name=drive0,file.filename=/tmp/disk.raw,file.cache.direct=on: Could not open '/tmp/disk.raw': filesystem does not support O_DIRECT",
    ['no-direct-io'],
  ],
  [
    "qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: Could not open '/dev/vfio/14': Device or resource busy",
    ['group-busy'],
  ],
  ['qemu-system-x86_64: -vnc :0: Failed to find an available port: Address already in use', ['port-in-use']],
  ['qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory', ['memory-short']],
  ["qemu-system-x86_64: -drive file=/root/a: Could not open '/root/a': Permission denied", ['permission']],
  ['vfio 0000:01:00.0: Device option ROM contents are probably invalid (check dmesg).', ['rom']],
  ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", ['memory-limit']],
  ['qemu-system-x86_64: warning: TCG does not support requested feature', []],
  ['', []],
];

for (const [text, wanted] of SAID) {
  test(`explainQemu() knows ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.deepEqual(
      explainQemu(`something before\n${text}\n`).map(({ id }) => id),
      wanted,
    );
  });
}

test('explainQemu() says each thing once, and every one has a remedy', () => {
  const all = explainQemu(`${SAID.map(([text]) => text).join('\n')}\n`.repeat(2));
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  assert.equal(all.length, new Set(SAID.flatMap(([, ids]) => ids)).size);
  for (const { summary, remedy } of all) assert.ok(summary.length > 10 && remedy.length > 10);
});

const QEMU = '/usr/bin/qemu-system-x86_64';
/** Pieces of QEMU's own formats; what stands behind a colon is the C library's. */
const FORMATS = [
  'is not viable',
  'no iommu_group found',
  'stuck in D%d',
  'VFIO_MAP_DMA failed',
  'Failed to mmap %s BAR %d',
  'Cannot reset device %s',
  'no such host device',
  'Could not access KVM kernel module',
  'Failed to get "%s" lock',
  'unable to map backing store for guest RAM',
  "cannot set up guest memory '%s'",
  'Device option ROM contents are probably invalid',
  'does not support O_DIRECT',
];
test("the known texts are QEMU's own", { skip: existsSync(QEMU) ? false : 'there is no QEMU here' }, () => {
  const program = readFileSync(QEMU);
  for (const format of FORMATS) assert.ok(program.includes(format), format);
  for (const format of FORMATS) {
    const printed = `vfio x: ${format.replace('%d', '3').replace('%s', 'x')}: Cannot allocate memory`;
    assert.equal(explainQemu(printed).length, 1 - Number(/KVM/.test(format)), printed);
  }
});
