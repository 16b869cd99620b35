import type { Suite } from '../words.ts';

/** What a suite's lab is made of, beside the packages that every Debian has. */
export const packagesOf = (suite: Suite): string[] => [...packages, ...onlyIn[suite]];

/** What Debian's QEMU 7.2 still had in one package; and an X server, which draws a compiler of 150 MB behind it on bookworm. */
const onlyIn: Record<Suite, string[]> = {
  bookworm: [],
  trixie: ['qemu-system-modules-spice', 'virtiofsd', 'xserver-xorg-core'],
};

const packages = [
  'alsa-utils',
  'btrfs-progs',
  'busybox-static',
  'cage',
  'dbus',
  'dbus-user-session',
  'dmsetup',
  'e2fsprogs',
  'fish',
  'greetd',
  'iproute2',
  'kbd',
  'kmod',
  'libdrm-tests',
  'libvirt-clients',
  'libvirt-daemon-driver-qemu',
  'libvirt-daemon-system',
  'libxml2-utils',
  'mdadm',
  'numactl',
  'ovmf',
  'pciutils',
  'procps',
  'psmisc',
  'python3-minimal',
  'qemu-system-x86',
  'qemu-utils',
  'socat',
  'strace',
  'swtpm',
  'swtpm-tools',
  'systemd-sysv',
  'udev',
  'usbutils',
  'util-linux',
  'zsh',
];

/** Modules of the initramfs: to the root disk and to the folders of the host. */
export const bootModules = [
  'virtio_pci',
  'virtio_blk',
  'crc32c_generic',
  'crc32c_intel',
  'ext4',
  '9pnet_virtio',
  '9p',
];

/** Modules of the root disk, each with what it needs. Names that one of the kernels does not have are skipped. */
export const rootModules = [
  ...bootModules,
  // the devices of the machine and their possible replacements
  ...['e1000', 'e1000e', 'nvme', 'xhci_pci', 'ehci_pci', 'uhci_hcd', 'usbhid', 'usb_storage', 'uas'],
  ...[
    'sd_mod',
    'snd_hda_intel',
    'snd_hda_codec_generic',
    'bochs',
    'qxl',
    'virtio-gpu',
    'virtio_net',
    'virtio_console',
  ],
  ...['ahci', 'sr_mod', 'i2c_i801', 'lpc_ich', 'hid_generic', 'evdev', 'button', 'qemu_fw_cfg', 'virtio_rng'],
  // passthrough
  ...['vfio-pci', 'vfio_iommu_type1', 'iommufd', 'virtio_iommu', 'kvm', 'kvm_amd', 'kvm_intel', 'pci-stub'],
  // processors
  ...[
    'acpi-cpufreq',
    'cpufreq_powersave',
    'cpufreq_ondemand',
    'cpufreq_conservative',
    'cpufreq_userspace',
    'msr',
  ],
  ...['cpuid', 'intel_rapl_msr'],
  // file systems and block layers
  ...[
    'overlay',
    'loop',
    'dm_mod',
    'dm_crypt',
    'raid1',
    'btrfs',
    'fuse',
    'autofs4',
    'configfs',
    'efivarfs',
    'efi_pstore',
    'vfat',
    'nls_ascii',
  ],
  // networks of libvirt
  ...[
    'tun',
    'tap',
    'macvtap',
    'vhost_net',
    'bridge',
    'dummy',
    'nf_tables',
    'nft_compat',
    'nft_chain_nat',
    'iptable_filter',
  ],
  ...['ip_tables', 'ip6_tables', 'x_tables', 'xt_MASQUERADE'],
];

/** Modules of the nested guest. */
export const nestedModules = ['e1000e', 'nvme', 'virtio_pci', 'virtio_blk', 'virtio_net'];
