import { choice, plain, whole, yesNo } from './run-key.ts';

const BOOT = whole(0, 255, null, 'Its place in the boot order, 0 first; else it is not booted from.');
const SLOT = whole(1, 31, null, 'Its slot on the root bus; else the next free one.');

/** Keys of disks, network cards, passed functions and shared folders. */
export const RUN_STORAGE_KEYS = {
  disk: {
    type: choice(
      ['disk', 'cdrom'],
      null,
      'A disk, or a CD drive; by default a CD drive for a source that ends in .iso.',
    ),
    source: plain('path', 'The file or block device; a CD drive may be empty.'),
    format: choice(
      ['raw', 'qcow2'],
      null,
      'Its format; else qcow2 for a name that ends so, else raw. Never guessed from the content.',
    ),
    bus: choice(
      ['virtio', 'scsi', 'nvme', 'sata', 'ide', 'usb'],
      null,
      'How the guest sees it; else virtio, a CD drive sata (ide on i440fx).',
    ),
    cache: choice(
      ['none', 'writeback', 'writethrough', 'directsync', 'unsafe'],
      null,
      'The cache mode; else none, writeback for a CD drive.',
    ),
    aio: choice(
      ['native', 'threads', 'io_uring'],
      null,
      'How it is read and written; else native with cache none or directsync, else threads.',
    ),
    discard: yesNo('yes', 'Whether space that the guest gives up is given back to the host.'),
    'read-only': yesNo(null, 'Whether the guest can only read it; a CD drive always.'),
    serial: plain('text', 'The serial number that the guest sees, 20 letters at most; nvme always has one.'),
    ssd: yesNo('yes', 'Whether the guest is told that nothing turns in it (scsi, sata and ide).'),
    queues: whole(1, 256, null, 'Queues (virtio and scsi); else one for each vCPU, as QEMU does.'),
    iothread: plain(
      'name',
      'The thread that serves it (virtio and scsi); disks that name the same one share it.',
    ),
    boot: BOOT,
    slot: SLOT,
  },
  network: {
    type: choice(
      ['user', 'bridge', 'tap', 'macvtap'],
      'user',
      'What it hangs on: QEMU’s own NAT, a bridge by its helper, a tap or macvtap that is there.',
    ),
    model: choice(
      ['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3'],
      'virtio',
      'The card that the guest sees.',
    ),
    mac: plain('mac', 'Its address; else one made from the names of guest and card, always the same.'),
    bridge: plain('text', 'The bridge, for type bridge.'),
    interface: plain('text', 'The tap or macvtap, for these types.'),
    queues: whole(1, 256, '1', 'Queue pairs (virtio on tap and macvtap).'),
    vhost: yesNo(
      null,
      'Whether the kernel serves it; else where /dev/vhost-net is there (virtio on bridge, tap and macvtap).',
    ),
    forward: plain(
      'forwards',
      'Ports of the host that lead into the guest, for type user: tcp:2222:22 or udp:127.0.0.1:5000:5000.',
    ),
    boot: BOOT,
    slot: SLOT,
  },
  device: {
    slot: whole(
      1,
      31,
      null,
      'The slot of its root port (on i440fx its own); functions of one card share the first one’s.',
    ),
    function: whole(
      0,
      7,
      null,
      'Its function number in the guest; else the host’s, or 0 where the card has no other 0.',
    ),
    with: plain(
      'text',
      'The label of the function whose card it is to be on, which goes with no other itself; else that of the host’s card.',
    ),
    'x-vga': yesNo('no', 'Whether it answers for old VGA (only without another display; for SeaBIOS).'),
    romfile: plain('path', 'The file with its ROM.'),
    'rom-bar': yesNo(null, 'Whether the guest sees its ROM at all.'),
    display: choice(['off', 'on', 'auto'], null, 'Whether QEMU shows its screen (mediated ones).'),
    'vendor-id': plain('id', 'The vendor that the guest reads.'),
    'device-id': plain('id', 'The device that the guest reads.'),
    'sub-vendor-id': plain('id', 'The subsystem’s vendor that the guest reads.'),
    'sub-device-id': plain('id', 'The subsystem that the guest reads.'),
    mdev: plain('uuid', 'The mediated device to give, by its UUID.'),
    'sysfs-device': plain('path', 'The device to give, by its folder in sysfs.'),
    boot: BOOT,
  },
  share: {
    source: plain('path', 'The folder.'),
    tag: plain('text', 'What the guest mounts it by, 36 letters at most; else the label.'),
    'read-only': yesNo('no', 'Whether the guest can only read it; where virtiofsd can do that.'),
    cache: choice(['auto', 'always', 'never'], 'auto', 'How much of it the guest may keep.'),
    virtiofsd: plain('path', 'The daemon; else where distributions put it.'),
    slot: SLOT,
  },
} as const;
