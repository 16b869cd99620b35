import type { BootLoader } from '../host/boot-loader.ts';
import type { Checkup } from '../host/checkup.ts';
import type { DistributionFamily } from '../host/distribution.ts';

/** What decides how a thing is set up on a host. */
export type Setup = Pick<Checkup, 'distribution' | 'bootLoader'>;

/** How words are added to the kernel's command line here. */
export function addKernelArguments({ distribution, bootLoader }: Setup, words: string): string {
  const { family } = distribution;
  if (family === 'nixos')
    return `Add ${nixList(words)} to boot.kernelParams, then nixos-rebuild boot and reboot`;
  if (family === 'ostree') {
    return `rpm-ostree kargs ${words
      .split(' ')
      .map((word) => `--append=${word}`)
      .join(' ')}, then reboot`;
  }
  return `${EDIT[bootLoader](words, family)}, then reboot`;
}

/** How a word is taken off the kernel's command line here. */
export function removeKernelArgument({ distribution, bootLoader }: Setup, word: string): string {
  const { family } = distribution;
  if (family === 'nixos')
    return `Take "${word}" out of boot.kernelParams, then nixos-rebuild boot and reboot`;
  if (family === 'ostree') return `rpm-ostree kargs --delete=${word}, then reboot`;
  if (family === 'fedora' && bootLoader === 'grub')
    return `grubby --update-kernel=ALL --remove-args="${word}", then reboot`;
  if (bootLoader === 'kernelstub') return `kernelstub -d "${word}", then reboot`;
  return `Take ${word} out of ${PLACE[bootLoader]}${apply(bootLoader, family)}, then reboot`;
}

/** How lines of modprobe.d(5) are put to work here, in the initramfs too. */
export function addModprobeLines(setup: Setup, lines: readonly string[]): string {
  const { family } = setup.distribution;
  if (family === 'nixos') {
    return `Add ${lines.map((line) => `"${line}"`).join(' and ')} to boot.extraModprobeConfig (a line each), then nixos-rebuild boot and reboot`;
  }
  return `Write ${lines.map((line) => `"${line}"`).join(' and ')} to /etc/modprobe.d/vfio.conf (a line each), then ${rebuildInitramfs(setup)} and reboot`;
}

/** How vfio-pci gets into the initramfs here. */
export function putVfioIntoInitramfs(setup: Setup): string {
  switch (setup.distribution.family) {
    case 'nixos':
      return 'Put "vfio_pci" "vfio" "vfio_iommu_type1" at the head of boot.initrd.kernelModules, then nixos-rebuild boot and reboot';
    case 'arch':
      return 'Put vfio_pci vfio vfio_iommu_type1 at the head of MODULES in /etc/mkinitcpio.conf, then mkinitcpio -P and reboot';
    case 'fedora':
    case 'suse':
      return `Write add_drivers+=" vfio_pci vfio vfio_iommu_type1 " to /etc/dracut.conf.d/vfio.conf, then ${rebuildInitramfs(setup)} and reboot`;
    case 'ostree':
      return 'rpm-ostree initramfs --enable --arg=--add-drivers --arg="vfio_pci vfio vfio_iommu_type1", then reboot';
    case 'debian':
    case 'proxmox':
      return `Add the lines vfio_pci, vfio and vfio_iommu_type1 to /etc/initramfs-tools/modules, then ${rebuildInitramfs(setup)} and reboot`;
    case 'other':
      return `Add vfio_pci, vfio and vfio_iommu_type1 to the modules of the initramfs, then ${rebuildInitramfs(setup)} and reboot`;
  }
}

/** The command that makes the initramfs anew here, as a clause. */
export function rebuildInitramfs({ distribution, bootLoader }: Setup): string {
  switch (distribution.family) {
    case 'debian':
      return 'update-initramfs -u';
    case 'proxmox':
      return bootLoader === 'proxmox-boot-tool'
        ? 'update-initramfs -u -k all and proxmox-boot-tool refresh'
        : 'update-initramfs -u -k all';
    case 'arch':
      return 'mkinitcpio -P';
    case 'fedora':
    case 'suse':
      return 'dracut --force';
    case 'ostree':
      return 'rpm-ostree initramfs --enable';
    case 'nixos':
      return 'nixos-rebuild boot';
    case 'other':
      return 'make the initramfs anew';
  }
}

/** Programs and firmware by the packages that have them. */
export type Needed = 'qemu' | 'libvirt' | 'ovmf' | 'swtpm' | 'kernel-modules';

/** How something is installed here. */
export function install({ distribution }: Setup, what: Needed): string {
  const names = PACKAGES[what];
  switch (distribution.family) {
    case 'debian':
      return `apt install ${names.debian}`;
    case 'proxmox':
      return `apt install ${names.proxmox ?? names.debian}`;
    case 'fedora':
      return `dnf install ${names.fedora}`;
    case 'ostree':
      return `rpm-ostree install ${names.fedora}, then reboot`;
    case 'arch':
      return `pacman -S ${names.arch}`;
    case 'suse':
      return `zypper install ${names.suse}`;
    case 'nixos':
      return names.nixos;
    case 'other':
      return `Install ${names.plain}`;
  }
}

/** How a sysctl, service or file is set for good here; the kernel's value at once, and what keeps it. */
export function setAtBoot({ distribution }: Setup, module: string, option: string): string {
  return distribution.family === 'nixos'
    ? `Add "options ${module} ${option}" to boot.extraModprobeConfig, then nixos-rebuild switch`
    : `Write "options ${module} ${option}" to /etc/modprobe.d/${module}.conf`;
}

interface PackageNames {
  readonly plain: string;
  readonly debian: string;
  readonly proxmox?: string;
  readonly fedora: string;
  readonly arch: string;
  readonly suse: string;
  readonly nixos: string;
}

const PACKAGES: Readonly<Record<Needed, PackageNames>> = {
  qemu: {
    plain: 'QEMU',
    debian: 'qemu-system-x86',
    proxmox: 'pve-qemu-kvm',
    fedora: 'qemu-kvm',
    arch: 'qemu-desktop',
    suse: 'qemu-x86',
    nixos:
      'Set virtualisation.libvirtd.enable = true, or add pkgs.qemu to environment.systemPackages, then nixos-rebuild switch',
  },
  libvirt: {
    plain: 'libvirt',
    debian: 'libvirt-daemon-system',
    fedora: 'libvirt',
    arch: 'libvirt',
    suse: 'libvirt',
    nixos: 'Set virtualisation.libvirtd.enable = true, then nixos-rebuild switch',
  },
  ovmf: {
    plain: 'the UEFI firmware for guests (OVMF, edk2)',
    debian: 'ovmf',
    proxmox: 'pve-edk2-firmware',
    fedora: 'edk2-ovmf',
    arch: 'edk2-ovmf',
    suse: 'qemu-ovmf-x86_64',
    nixos: 'Set virtualisation.libvirtd.qemu.ovmf.enable = true, then nixos-rebuild switch',
  },
  swtpm: {
    plain: 'swtpm',
    debian: 'swtpm swtpm-tools',
    fedora: 'swtpm swtpm-tools',
    arch: 'swtpm',
    suse: 'swtpm',
    nixos: 'Set virtualisation.libvirtd.qemu.swtpm.enable = true, then nixos-rebuild switch',
  },
  'kernel-modules': {
    plain: 'the package with the kernel’s extra modules',
    debian: 'linux-image-amd64 (on Ubuntu linux-generic, which brings linux-modules-extra)',
    proxmox: 'proxmox-default-kernel',
    fedora: 'kernel-modules',
    arch: 'linux',
    suse: 'kernel-default (in place of kernel-default-base)',
    nixos: 'Set boot.kernelPackages = pkgs.linuxPackages, then nixos-rebuild boot and reboot',
  },
};

const EDIT: Readonly<Record<BootLoader, (words: string, family: DistributionFamily) => string>> = {
  grub: (words, family) =>
    family === 'fedora'
      ? `grubby --update-kernel=ALL --args="${words}"`
      : `Add "${words}" to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub${apply('grub', family)}`,
  'systemd-boot': (words, family) =>
    `Add "${words}" to ${PLACE['systemd-boot']}${apply('systemd-boot', family)}`,
  kernelstub: (words) =>
    words
      .split(' ')
      .map((word) => `kernelstub -a "${word}"`)
      .join(' && '),
  refind: (words) => `Add "${words}" inside the second quotes of each line of /boot/refind_linux.conf`,
  limine: (words, family) => `Add "${words}" to ${PLACE.limine}${apply('limine', family)}`,
  'proxmox-boot-tool': (words, family) =>
    `Add "${words}" to ${PLACE['proxmox-boot-tool']}${apply('proxmox-boot-tool', family)}`,
  unknown: (words) => `Add "${words}" to the kernel’s command line in the boot loader’s configuration`,
};

/** Where the words stand, as a clause. */
const PLACE: Readonly<Record<BootLoader, string>> = {
  grub: 'GRUB_CMDLINE_LINUX_DEFAULT and GRUB_CMDLINE_LINUX in /etc/default/grub',
  'systemd-boot':
    'the options line of the entry in loader/entries on the EFI partition, and to /etc/kernel/cmdline for kernels to come',
  kernelstub: 'the options that kernelstub keeps',
  refind: 'each line of /boot/refind_linux.conf',
  limine:
    'KERNEL_CMDLINE[default] in /etc/default/limine (without that file the cmdline: lines of limine.conf)',
  'proxmox-boot-tool':
    'the one line of /etc/kernel/cmdline (where it boots by GRUB: GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub)',
  unknown: 'the boot loader’s configuration',
};

/** The command that makes an edit count, as a clause with its comma. */
function apply(bootLoader: BootLoader, family: DistributionFamily): string {
  switch (bootLoader) {
    case 'grub':
      if (family === 'debian' || family === 'proxmox') return ', then update-grub';
      if (family === 'suse' || family === 'fedora') return ', then grub2-mkconfig -o /boot/grub2/grub.cfg';
      return ', then grub-mkconfig -o /boot/grub/grub.cfg';
    case 'proxmox-boot-tool':
      return ', then proxmox-boot-tool refresh';
    case 'limine':
      return ', then limine-update where that is installed';
    case 'systemd-boot':
      if (family === 'suse') return ', then sdbootutil update-all-entries';
      return family === 'arch' ? ' (with a unified kernel image: then mkinitcpio -P)' : '';
    default:
      return '';
  }
}

function nixList(words: string): string {
  return words
    .split(' ')
    .map((word) => `"${word}"`)
    .join(' ');
}
