import assert from 'node:assert/strict';
import test from 'node:test';
import {
  addKernelArguments,
  addModprobeLines,
  install,
  putVfioIntoInitramfs,
  rebuildInitramfs,
  removeKernelArgument,
  type Setup,
} from '../../../lib/doctor/remedies.ts';
import type { BootLoader } from '../../../lib/host/boot-loader.ts';
import type { DistributionFamily } from '../../../lib/host/distribution.ts';

const on = (family: DistributionFamily, bootLoader: BootLoader = 'grub'): Setup => ({
  distribution: { family, name: family },
  bootLoader,
});

const ADD: readonly [DistributionFamily, BootLoader, string][] = [
  [
    'debian',
    'grub',
    'Add "a b=1" to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then update-grub, then reboot',
  ],
  ['fedora', 'grub', 'grubby --update-kernel=ALL --args="a b=1", then reboot'],
  [
    'arch',
    'grub',
    'Add "a b=1" to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then grub-mkconfig -o /boot/grub/grub.cfg, then reboot',
  ],
  [
    'suse',
    'grub',
    'Add "a b=1" to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then grub2-mkconfig -o /boot/grub2/grub.cfg, then reboot',
  ],
  ['nixos', 'systemd-boot', 'Add "a" "b=1" to boot.kernelParams, then nixos-rebuild boot and reboot'],
  ['ostree', 'grub', 'rpm-ostree kargs --append=a --append=b=1, then reboot'],
  [
    'arch',
    'systemd-boot',
    'Add "a b=1" to the options line of the entry in loader/entries on the EFI partition, and to /etc/kernel/cmdline for kernels to come (with a unified kernel image: then mkinitcpio -P), then reboot',
  ],
  [
    'suse',
    'systemd-boot',
    'Add "a b=1" to the options line of the entry in loader/entries on the EFI partition, and to /etc/kernel/cmdline for kernels to come, then sdbootutil update-all-entries, then reboot',
  ],
  ['debian', 'kernelstub', 'kernelstub -a "a" && kernelstub -a "b=1", then reboot'],
  [
    'arch',
    'refind',
    'Add "a b=1" inside the second quotes of each line of /boot/refind_linux.conf, then reboot',
  ],
  [
    'arch',
    'limine',
    'Add "a b=1" to KERNEL_CMDLINE[default] in /etc/default/limine (without that file the cmdline: lines of limine.conf), then limine-update where that is installed, then reboot',
  ],
  [
    'proxmox',
    'proxmox-boot-tool',
    'Add "a b=1" to the one line of /etc/kernel/cmdline (where it boots by GRUB: GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub), then proxmox-boot-tool refresh, then reboot',
  ],
  [
    'proxmox',
    'grub',
    'Add "a b=1" to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then update-grub, then reboot',
  ],
  [
    'other',
    'unknown',
    'Add "a b=1" to the kernel’s command line in the boot loader’s configuration, then reboot',
  ],
];
for (const [family, loader, said] of ADD) {
  test(`addKernelArguments() on ${family} with ${loader}`, () => {
    assert.equal(addKernelArguments(on(family, loader), 'a b=1'), said);
  });
}

const REMOVE: readonly [DistributionFamily, BootLoader, string][] = [
  [
    'debian',
    'grub',
    'Take x=1 out of GRUB_CMDLINE_LINUX_DEFAULT and GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub, then reboot',
  ],
  ['fedora', 'grub', 'grubby --update-kernel=ALL --remove-args="x=1", then reboot'],
  ['nixos', 'systemd-boot', 'Take "x=1" out of boot.kernelParams, then nixos-rebuild boot and reboot'],
  ['ostree', 'grub', 'rpm-ostree kargs --delete=x=1, then reboot'],
  ['debian', 'kernelstub', 'kernelstub -d "x=1", then reboot'],
  ['arch', 'refind', 'Take x=1 out of each line of /boot/refind_linux.conf, then reboot'],
  ['other', 'unknown', 'Take x=1 out of the boot loader’s configuration, then reboot'],
];
for (const [family, loader, said] of REMOVE) {
  test(`removeKernelArgument() on ${family} with ${loader}`, () => {
    assert.equal(removeKernelArgument(on(family, loader), 'x=1'), said);
  });
}

test('rebuildInitramfs() names each distribution’s command', () => {
  assert.deepEqual(
    (['debian', 'proxmox', 'arch', 'fedora', 'suse', 'ostree', 'nixos', 'other'] as const).map((family) =>
      rebuildInitramfs(on(family)),
    ),
    [
      'update-initramfs -u',
      'update-initramfs -u -k all',
      'mkinitcpio -P',
      'dracut --force',
      'dracut --force',
      'rpm-ostree initramfs --enable',
      'nixos-rebuild boot',
      'make the initramfs anew',
    ],
  );
  assert.equal(
    rebuildInitramfs(on('proxmox', 'proxmox-boot-tool')),
    'update-initramfs -u -k all and proxmox-boot-tool refresh',
  );
});

test('putVfioIntoInitramfs() knows initramfs-tools, mkinitcpio, dracut, ostree and NixOS', () => {
  const said = (family: DistributionFamily) => putVfioIntoInitramfs(on(family));
  assert.match(said('debian'), /\/etc\/initramfs-tools\/modules, then update-initramfs -u and reboot$/);
  assert.match(said('arch'), /MODULES in \/etc\/mkinitcpio\.conf, then mkinitcpio -P and reboot$/);
  assert.match(said('fedora'), /\/etc\/dracut\.conf\.d\/vfio\.conf, then dracut --force and reboot$/);
  assert.match(said('ostree'), /^rpm-ostree initramfs --enable --arg=--add-drivers/);
  assert.match(said('nixos'), /boot\.initrd\.kernelModules, then nixos-rebuild boot and reboot$/);
  assert.match(said('other'), /the modules of the initramfs, then make the initramfs anew and reboot$/);
});

test('addModprobeLines() writes a file, or NixOS’s option', () => {
  const lines = ['softdep a pre: vfio-pci', 'options b c=1'];
  assert.equal(
    addModprobeLines(on('arch'), lines),
    'Write "softdep a pre: vfio-pci" and "options b c=1" to /etc/modprobe.d/vfio.conf (a line each), then mkinitcpio -P and reboot',
  );
  assert.equal(
    addModprobeLines(on('nixos'), lines),
    'Add "softdep a pre: vfio-pci" and "options b c=1" to boot.extraModprobeConfig (a line each), then nixos-rebuild boot and reboot',
  );
});

test('install() names each distribution’s packages', () => {
  const said = (family: DistributionFamily) => install(on(family), 'ovmf');
  assert.deepEqual(
    (['debian', 'proxmox', 'fedora', 'ostree', 'arch', 'suse', 'nixos', 'other'] as const).map(said),
    [
      'apt install ovmf',
      'apt install pve-edk2-firmware',
      'dnf install edk2-ovmf',
      'rpm-ostree install edk2-ovmf, then reboot',
      'pacman -S edk2-ovmf',
      'zypper install qemu-ovmf-x86_64',
      'Set virtualisation.libvirtd.qemu.ovmf.enable = true, then nixos-rebuild switch',
      'Install the UEFI firmware for guests (OVMF, edk2)',
    ],
  );
});
