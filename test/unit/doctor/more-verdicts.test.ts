import assert from 'node:assert/strict';
import test from 'node:test';
import type { Status } from '../../../lib/doctor/finding.ts';
import { addProcess, CARD, DAEMON, RELEASE } from '../../fake/healthy-machine.ts';
import {
  boot,
  both,
  deny,
  drop,
  edit,
  editXml,
  logged,
  look,
  noCpus,
  noGroups,
  noXml,
  put,
  type Scene,
} from './case.ts';
import { archiveOf } from './cases-vfio.ts';

const OWN = '/sys/devices/pci0000:00/0000:00:02.0';
const CPUINFO = '/proc/cpuinfo';
const amd = both(edit(CPUINFO, 'GenuineIntel', 'AuthenticAMD'), edit(CPUINFO, ' vmx ', ' svm '));
const noFlags = edit(CPUINFO, /flags.*/, '');
const NO_DISK =
  "<disk type='file' device='disk'><source file='/var/lib/libvirt/images/win11.qcow2'/><target dev='vda' bus='virtio'/></disk>";

/** Other answers that the checks have, beside those of the table of cases: what is changed, the status, a piece of summary and remedy. */
const MORE: readonly [string, string, (scene: Scene) => void, Status, string][] = [
  [
    'processor.virtualization',
    'AMD without SVM',
    both(amd, edit(CPUINFO, ' svm ', ' ')),
    'fail',
    'Turn on "SVM Mode"',
  ],
  [
    'processor.virtualization',
    'a guest',
    both(edit(CPUINFO, ' vmx ', ' hypervisor ')),
    'fail',
    'This host is itself a guest',
  ],
  ['processor.virtualization', 'ARM', noFlags, 'unknown', 'not an x86 processor'],
  [
    'iommu.firmware-table',
    'AMD',
    both(amd, drop('/sys/firmware/acpi/tables/DMAR')),
    'fail',
    'Turn on "IOMMU" in the firmware’s setup',
  ],
  ['iommu.firmware-table', 'two tables', put('/sys/firmware/acpi/tables/VIOT', ''), 'ok', 'DMAR and VIOT'],
  ['iommu.enabled', 'AMD', both(amd, noGroups), 'fail', 'journalctl -k -g AMD-Vi'],
  [
    'iommu.enabled',
    'no table',
    both(noGroups, drop('/sys/firmware/acpi/tables/DMAR')),
    'fail',
    'Turn on "VT-d"',
  ],
  [
    'iommu.enabled',
    'turned off by a word',
    both(noGroups, boot('iommu=off')),
    'fail',
    'See iommu.command-line',
  ],
  ['iommu.command-line', 'amd_iommu=on', boot('amd_iommu=on'), 'warn', 'Take amd_iommu=on out of'],
  ['iommu.command-line', 'Intel’s word on AMD', amd, 'warn', 'Take intel_iommu=on out of'],
  [
    'iommu.interrupt-remapping',
    'turned off by a word',
    both(edit('/proc/interrupts', 'IR-', ''), boot('intremap=off')),
    'fail',
    'Take intremap=off out of',
  ],
  ['iommu.interrupt-remapping', 'ARM', noFlags, 'unknown', 'not an x86 processor'],
  [
    'iommu.default-domain',
    'one strict group of many',
    put('/sys/kernel/iommu_groups/3/type', 'DMA\n'),
    'ok',
    'not slowed down',
  ],
  ['iommu.acs-override', 'pci=config_acs', boot('pci=config_acs=1xx@pci:0:0'), 'warn', 'pci=config_acs='],
  [
    'iommu.address-width',
    'AMD',
    both(drop('/sys/class/iommu/dmar0'), put('/sys/class/iommu/ivhd0/x', '')),
    'ok',
    '48 bits',
  ],
  ['vfio.device-node', 'missing while loaded', drop('/dev/vfio/vfio'), 'fail', 'udevadm trigger'],
  [
    'vfio.initramfs',
    'and the card is lost',
    both(boot('vfio-pci.ids=8086:10d3'), put(`/boot/initrd.img-${RELEASE}`, archiveOf('a'))),
    'fail',
    '/etc/initramfs-tools/modules',
  ],
  [
    'vfio.initramfs',
    'there',
    both(boot('vfio-pci.ids=10de:2684'), put(`/boot/initrd.img-${RELEASE}`, archiveOf('k/vfio-pci.ko'))),
    'ok',
    'has vfio-pci',
  ],
  [
    'vfio.ids-twins',
    'one card, two ids',
    boot('vfio-pci.ids=10de:2684,10de:22ba'),
    'ok',
    'No id given to vfio-pci',
  ],
  [
    'vfio.leftover-overrides',
    'parked on purpose',
    put('/sys/devices/pci0000:03/0000:03:00.0/driver_override', 'none\n'),
    'ok',
    'No override waits',
  ],
  ['gpu.boot-card', 'nobody says', put(`${OWN}/boot_vga`, '0\n'), 'unknown', 'no card says'],
  [
    'gpu.vendor-reset',
    'with its own reset',
    both(
      put(`${CARD}/vendor`, '0x1002\n'),
      put(`${CARD}/device`, '0x731f\n'),
      put(`${CARD}/reset_method`, 'device_specific bus\n'),
    ),
    'ok',
    'own reset in use',
  ],
  ['gpu.reset', 'the host’s own card', drop(`${OWN}/reset`, `${OWN}/reset_method`), 'ok', 'can reset every'],
  [
    'gpu.xorg-card',
    'a BusID of the guest’s card',
    both(
      put('/usr/bin/Xorg', ''),
      put('/etc/X11/xorg.conf.d/10.conf', 'Section "Device"\n  BusID "PCI:1:0:0"\nEndSection\n'),
    ),
    'fail',
    'BusID "PCI:0:2:0"',
  ],
  [
    'gpu.xorg-card',
    'a BusID of the host’s',
    both(put('/usr/bin/Xorg', ''), put('/etc/X11/xorg.conf', '  BusID  "PCI:0@0:2:0"\n')),
    'ok',
    'X is tied to PCI:0@0:2:0',
  ],
  [
    'gpu.nvidia-daemon',
    'no card of NVIDIA’s with the host',
    ({ host }) => addProcess(host, 777, 'nvidia-persiste'),
    'ok',
    'No daemon',
  ],
  [
    'gpu.hang-log',
    'a disk that hangs',
    logged('INFO: task jbd2/sda1-8:321 blocked for more than 120 seconds.'),
    'ok',
    'no sign of it',
  ],
  [
    'gpu.boot-framebuffer',
    'on the host’s card',
    put('/proc/iomem', '4000000000-4000ffffff : BOOTFB\n'),
    'ok',
    'No card on vfio-pci',
  ],
  [
    'firmware.secure-boot',
    'on, without lockdown',
    both(
      put('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c', '\x06\0\0\0\x01'),
      drop('/sys/kernel/security/lockdown'),
    ),
    'ok',
    'does not insist',
  ],
  [
    'firmware.swtpm',
    'not asked for',
    both(drop('/usr/bin/swtpm'), editXml(/<tpm.*<\/tpm>/, '')),
    'warn',
    'apt install swtpm swtpm-tools',
  ],
  ['kvm.device', 'root only', put('/dev/kvm', '', 0o600), 'warn', 'udevadm trigger --name-match=kvm'],
  [
    'kvm.device',
    'no module',
    both(
      drop('/dev/kvm', '/sys/module/kvm_intel'),
      edit(`/lib/modules/${RELEASE}/modules.dep`, /.*kvm-intel.*\n/, ''),
    ),
    'fail',
    'apt install linux-image-amd64',
  ],
  [
    'kvm.ignore-msrs',
    'ignored and told each time',
    both(put('/sys/module/kvm/parameters/ignore_msrs', 'Y\n'), logged('kvm: vcpu0 ignored rdmsr: 0x1b')),
    'warn',
    'report_ignored_msrs=0',
  ],
  ['libvirt.qemu', 'an old one', edit('/var/lib/dpkg/status', '1:10.0.2', '1:5.2'), 'warn', 'older than 6'],
  ['libvirt.daemon', 'started by its socket', drop(`/proc/${DAEMON}`), 'ok', 'its socket starts it'],
  [
    'hook.installed',
    'no profile that needs it',
    drop('/etc/libvirt/hooks/qemu.d/passqemu', '/etc/passqemu'),
    'warn',
    'not needed for passqemu run',
  ],
  [
    'hook.seen',
    'reloaded by hooks install',
    both(
      put('/proc/stat', 'btime 0\n'),
      ({ host }) => addProcess(host, DAEMON, 'virtqemud', { startTicks: 0 }),
      put('/run/passqemu-hook-seen', `${DAEMON} 0\n`),
    ),
    'ok',
    'was reloaded',
  ],
  [
    'hook.folders',
    'with the helper that runs them',
    both(
      ({ host }) => void host.putFolder('/etc/libvirt/hooks/qemu.d/win10'),
      put('/etc/libvirt/hooks/qemu', '#!/bin/sh\n', 0o755),
    ),
    'ok',
    'runs what is in the folders',
  ],
  [
    'hook.executable',
    'somebody else’s',
    put('/etc/libvirt/hooks/qemu.d/other', '#!/bin/sh\n', 0o644),
    'warn',
    'chmod 755 /etc/libvirt/hooks/qemu.d/other',
  ],
  [
    'memory.zfs',
    'with a limit',
    put('/sys/module/zfs/parameters/zfs_arc_max', '4294967296\n'),
    'ok',
    'limited to 4 GiB',
  ],
  [
    'memory.guest-fits',
    'hardly',
    editXml("<memory unit='GiB'>8", "<memory unit='MiB'>32500"),
    'warn',
    'Leave the host 2 GiB',
  ],
  [
    'memory.gigabyte-pool',
    'none on this processor',
    both(
      put('/etc/passqemu/win11.ini', '[memory]\nhugepages = 1G\n'),
      drop('/sys/kernel/mm/hugepages/hugepages-1048576kB'),
    ),
    'fail',
    'hugepages = 2M',
  ],
  ['cpus.isolation-words', 'a list that is none', boot('isolcpus=2-x'), 'fail', 'Write a list such as'],
  [
    'cpus.isolation-words',
    'all the same',
    boot('isolcpus=domain,4-7 nohz_full=4-7 rcu_nocbs=4-7'),
    'ok',
    'isolcpus, nohz_full, rcu_nocbs name 4-7',
  ],
  [
    'cpus.governor',
    'set by the profile',
    both(
      put('/sys/devices/system/cpu/cpufreq/policy4/scaling_governor', 'ondemand\n'),
      put('/etc/passqemu/win11.ini', '[cpu]\ngovernor = performance\n'),
    ),
    'ok',
    'The profile sets performance',
  ],
  [
    'cpus.governor',
    'powersave of Intel’s own driver',
    put('/sys/devices/system/cpu/cpufreq/policy4/scaling_governor', 'powersave\n'),
    'ok',
    'powersave',
  ],
  [
    'cpus.emulator-apart',
    'pinned nowhere',
    editXml("<emulatorpin cpuset='0-1'/>", ''),
    'warn',
    '<emulatorpin cpuset="0-3"/>',
  ],
  [
    'cpus.whole-cores',
    'a guest without pins',
    editXml(/<cputune>[\s\S]*<\/cputune>/, ''),
    'ok',
    'no CPUs of its own',
  ],
  ['cpus.pins-online', 'no CPUs told', noCpus, 'unknown', 'does not tell which CPUs'],
  [
    'guest.firmware',
    'SeaBIOS with a card',
    both(
      editXml("<os firmware='efi'>", '<os>'),
      editXml(/<loader.*<\/loader>/, ''),
      editXml(/<nvram.*<\/nvram>/, ''),
    ),
    'warn',
    'mbr2gpt',
  ],
  [
    'guest.firmware-pair',
    'qcow2',
    both(editXml('OVMF_VARS_4M.fd', 'OVMF_VARS_4M.qcow2'), put('/usr/share/OVMF/OVMF_VARS_4M.qcow2', 'q')),
    'ok',
    'of one size',
  ],
  [
    'guest.hidden-kvm',
    'no card of NVIDIA’s',
    both(put(`${CARD}/vendor`, '0x1002\n'), put(`${CARD.replace('01:00.0', '01:00.1')}/vendor`, '0x1002\n')),
    'ok',
    'no card of NVIDIA’s',
  ],
  [
    'guest.hyper-v',
    'Linux',
    editXml('microsoft.com/win/11', 'debian.org/debian/13'),
    'ok',
    'what its system can use',
  ],
  [
    'guest.usb-devices',
    'by number',
    editXml(/<vendor id='0x046d'\/><product id='0xc31c'\/>/, "<address bus='1' device='9'/>"),
    'warn',
    'No USB device is at bus 1, device 9',
  ],
  [
    'guest.event-devices',
    'by a number that changes',
    both(
      editXml('/dev/input/by-id/usb-keyboard-event-kbd', '/dev/input/event3'),
      ({ host }) => void host.putDevice('/dev/input/event3', 'character', '13:67'),
    ),
    'warn',
    'after the next boot',
  ],
  ['guest.disks', 'none', editXml(NO_DISK, ''), 'ok', 'no files or block devices'],
  [
    'guest.rom-files',
    'missing',
    drop('/usr/share/vgabios/card.rom'),
    'fail',
    'libvirt’s user must be able to read it',
  ],
  [
    'guest.plan',
    'a journal that is damaged',
    put('/run/passqemu/win11.jsonl', '{"this is":"no journal"}\n'),
    'unknown',
    'what guests hold is not known, /run/passqemu/win11.jsonl',
  ],
  ['guest.managed', 'no profile', drop('/etc/passqemu/win11.ini'), 'warn', 'passqemu enable win11'],
  ['guest.balloon', 'no XML', noXml, 'unknown', '--domain FILE'],
  ['power.sleep', 'no systemd', drop('/run/systemd/system'), 'warn', 'systemd does not run this host'],
  ['power.link-errors', 'no log', deny('/dev/kmsg', 'EPERM'), 'unknown', 'Run passqemu doctor as root'],
];
for (const [id, what, change, status, piece] of MORE) {
  test(`${id}: ${what}`, async () => {
    const { summary, remedy, ...finding } = (await look(change)).find((one) => one.id === id)!;
    assert.equal(finding.status, status, summary);
    assert.ok(`${summary} ${remedy}`.includes(piece), `${piece} in: ${summary} ${remedy}`);
  });
}

test('names of strangers stay one word of the command that a remedy is', async () => {
  const host = "/etc/libvirt/hooks/qemu.d/a b;'reboot'";
  const found = await look(put(host, '#!/bin/sh\n', 0o644));
  assert.equal(
    found.find(({ id }) => id === 'hook.executable')?.remedy,
    `chmod 755 '/etc/libvirt/hooks/qemu.d/a b;'\\''reboot'\\'''`,
  );
});
