import { addClassDevice } from '../../fake/device-model.ts';
import { addProcess, CARD } from '../../fake/healthy-machine.ts';
import {
  both,
  type Case,
  check,
  deny,
  drop,
  edit,
  editXml,
  logged,
  noBus,
  noLog,
  noProcesses,
  put,
} from './case.ts';

const OWN = '/sys/devices/pci0000:00/0000:00:02.0';
const noRom = editXml(/<rom [^>]*>/, '');
const amd = (device: string) =>
  both(put(`${CARD}/vendor`, '0x1002\n'), put(`${CARD}/device`, `0x${device}\n`));
const bar = (first: string, last: string) =>
  put(`${CARD}/resource`, `0x${first} 0x${last} 0x0000000000140204\n`);

/** Graphics cards. */
export const GPU_CASES: readonly Case[] = [
  check(
    'gpu.second-card',
    'warn',
    drop('/sys/bus/pci/devices/0000:00:02.0'),
    'reached by ssh',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.boot-card',
    'warn',
    both(put(`${OWN}/boot_vga`, '0\n'), put(`${CARD}/boot_vga`, '1\n')),
    'Initial Display Output',
    put(`${OWN}/boot_vga`, '0\n'),
    'no card says that the machine started on it',
  ),
  check(
    'gpu.boot-framebuffer',
    'fail',
    put('/proc/iomem', '5000000000-50007fffff : BOOTFB\n'),
    'initcall_blacklist=sysfb_init',
    put('/proc/iomem', '00000000-00000000 : Reserved\n'),
    'shows its addresses to root only',
  ),
  check(
    'gpu.bar-reservation',
    'fail',
    logged("vfio-pci 0000:01:00.0: BAR 1: can't reserve [mem 0x5000000000-0x500fffffff 64bit pref]"),
    'initcall_blacklist=sysfb_init',
    noLog,
    '/dev/kmsg cannot be read',
  ),
  check(
    'gpu.above-4g',
    'fail',
    bar('0000000000000000', '00000003ffffffff'),
    'Turn on "Above 4G Decoding"',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.resizable-bar',
    'warn',
    both(amd('744c'), put(`${CARD}/resource0_resize`, '0\n'), bar('0000005000000000', '00000053ffffffff')),
    'turn "Resizable BAR" (Smart Access Memory) off',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.rom',
    'warn',
    both(drop(`${CARD}/rom`), noRom),
    'give it by <rom file="…"/>',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.reset',
    'warn',
    drop(`${CARD}/reset`, `${CARD}/reset_method`),
    'vendor-reset',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.vendor-reset',
    'warn',
    amd('731f'),
    'echo device_specific > /sys/bus/pci/devices/0000:01:00.0/reset_method',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.reset-log',
    'fail',
    logged('vfio-pci 0000:01:00.0: not ready 65535ms after bus reset; giving up'),
    'disable_idle_d3=1',
    noLog,
    '/dev/kmsg cannot be read',
  ),
  check(
    'gpu.nvidia-daemon',
    'warn',
    both(
      ({ host }) => host.putLink(`${OWN}/driver`, '/sys/bus/pci/drivers/nvidia'),
      ({ host }) => addProcess(host, 777, 'nvidia-persiste'),
    ),
    'systemctl disable --now nvidia-persistenced',
    noProcesses,
    '/proc lists no processes',
  ),
  check(
    'gpu.wedged',
    'fail',
    ({ host }) => {
      addProcess(host, 777, 'tee');
      host
        .put('/sys/bus/pci/drivers/nvidia/unbind', '')
        .putLink('/proc/777/fd/3', '/sys/bus/pci/drivers/nvidia/unbind');
    },
    'if the write does not end then, reboot',
    noProcesses,
    '/proc lists no processes',
  ),
  check(
    'gpu.hang-log',
    'fail',
    logged('NVRM: Attempting to remove device 0000:01:00.0 with non-zero usage count!'),
    'if that does not free it, reboot',
    noLog,
    '/dev/kmsg cannot be read',
  ),
  check(
    'gpu.xorg-card',
    'warn',
    put('/usr/bin/Xorg', 'ELF', 0o755),
    'BusID "PCI:0:2:0"',
    noBus,
    'lists nothing',
  ),
  check(
    'gpu.render-nodes',
    'warn',
    ({ host }) =>
      void addClassDevice(host, 'drm', `${CARD}/drm/renderD129`, {
        rdev: '226:129',
        devname: 'dri/renderD129',
      }),
    '--render-node-override=/dev/dri/renderD128',
    noBus,
    'lists nothing',
  ),
  check(
    'firmware.uefi',
    'warn',
    drop('/sys/firmware/efi'),
    'Turn CSM off',
    both(drop('/sys/firmware/efi'), noBus),
    'lists nothing',
  ),
  check(
    'firmware.secure-boot',
    'warn',
    both(
      put('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c', '\x06\0\0\0\x01'),
      edit('/sys/kernel/security/lockdown', '[none] integrity', 'none [integrity]'),
    ),
    'mokutil --import /var/lib/dkms/mok.pub',
    drop('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'),
    'efivars is not mounted',
  ),
  check(
    'firmware.lockdown',
    'warn',
    put('/sys/kernel/security/lockdown', 'none integrity [confidentiality]\n'),
    'lockdown=confidentiality',
    drop('/sys/kernel/security/lockdown'),
    'lockdown is not there',
  ),
  check(
    'firmware.ovmf',
    'fail',
    drop('/usr/share/OVMF'),
    'apt install ovmf',
    both(drop('/usr/share/OVMF'), put('/etc/os-release', 'ID=odd\n')),
    'nobody knows where',
  ),
  check(
    'firmware.swtpm',
    'fail',
    drop('/usr/bin/swtpm'),
    'apt install swtpm swtpm-tools',
    both(drop('/usr/bin/swtpm'), put('/etc/os-release', 'ID=odd\n')),
    'nobody knows where',
  ),
  check(
    'kvm.nested',
    'fail',
    both(
      put('/sys/module/kvm_intel/parameters/nested', 'N\n'),
      editXml('<topology', '<feature policy="require" name="vmx"/><topology'),
    ),
    'Write "options kvm_intel nested=1" to /etc/modprobe.d/kvm_intel.conf',
    drop('/sys/module/kvm_intel/parameters'),
    'neither kvm_intel nor kvm_amd is loaded',
  ),
  check(
    'kvm.ignore-msrs',
    'warn',
    logged('kvm [123]: vcpu0, guest rIP: 0xfffff8 unhandled rdmsr: 0x1b'),
    'echo 1 > /sys/module/kvm/parameters/ignore_msrs',
    drop('/sys/module/kvm/parameters'),
    'the module kvm is not loaded',
  ),
  check(
    'kvm.log',
    'fail',
    logged('kvm: disabled by bios'),
    'Turn on SVM Mode or VT-x',
    noLog,
    '/dev/kmsg cannot be read',
  ),
  check(
    'power.sleep',
    'warn',
    drop('/usr/bin/systemd-inhibit'),
    'systemctl mask sleep.target',
    noProcesses,
    '/proc lists no processes',
  ),
  check(
    'power.d3cold',
    'warn',
    put(`${CARD}/power_state`, 'D3cold\n'),
    'options vfio-pci disable_idle_d3=1',
    noBus,
    'lists nothing',
  ),
  check(
    'power.aspm',
    'warn',
    put('/sys/module/pcie_aspm/parameters/policy', 'default performance powersave [powersupersave]\n'),
    'echo default > /sys/module/pcie_aspm/parameters/policy',
    deny('/sys/module/pcie_aspm', 'EIO'),
    'the kernel shows no policy',
  ),
  check(
    'power.link-errors',
    'warn',
    logged('pcieport 0000:00:01.0: PCIe Bus Error: severity=Corrected, type=Physical Layer'),
    'Seat the card anew',
    noLog,
    '/dev/kmsg cannot be read',
  ),
  check(
    'power.port-management',
    'warn',
    edit('/proc/cmdline', 'quiet', 'pcie_port_pm=off'),
    'Take pcie_port_pm=off out of',
    deny('/proc/cmdline', 'EIO'),
    '/proc/cmdline cannot be read',
  ),
];
