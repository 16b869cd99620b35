import { addProcess, CARD, RELEASE } from '../../fake/healthy-machine.ts';
import { addPciDevice, removeModule } from '../../fake/pci-model.ts';
import { boot, both, type Case, check, drop, edit, noBus, noParameters, put, type Scene } from './case.ts';

const NIC = '/sys/devices/pci0000:03/0000:03:00.0';
const OWN = '/sys/devices/pci0000:00/0000:00:02.0';
const noLists = drop(`/lib/modules/${RELEASE}`);
const noVfio = drop('/sys/module/vfio_pci');
const without = (name: string) => (scene: Scene) => removeModule(scene.host, name);
const twin = ({ host }: Scene): void =>
  void addPciDevice(host, {
    address: '0000:05:00.0',
    vendor: '8086',
    device: '10d3',
    class: '020000',
    group: 5,
    driver: 'e1000e',
  });

/** vfio-pci, at boot and later. */
export const VFIO_CASES: readonly Case[] = [
  check(
    'vfio.modules',
    'fail',
    both(noVfio, without('vfio-pci')),
    'apt install linux-image-amd64',
    both(noVfio, noLists),
    'there is no list of the kernel’s modules',
  ),
  check(
    'vfio.device-node',
    'warn',
    put('/dev/vfio/vfio', '', 0o600),
    'udevadm trigger --name-match=vfio/vfio',
    both(noVfio, noLists, drop('/dev/vfio/vfio')),
    'there is no list of the kernel’s modules',
  ),
  check(
    'vfio.leftover-overrides',
    'warn',
    put(`${NIC}/driver_override`, 'vfio-pci\n'),
    'echo > /sys/bus/pci/devices/0000:03:00.0/driver_override',
    ({ host }) => addProcess(host, 777, 'tee', { state: 'D' }),
    'a write to the PCI bus hangs',
  ),
  check(
    'vfio.driverless',
    'warn',
    drop(`${NIC}/driver`),
    'echo 0000:03:00.0 > /sys/bus/pci/drivers_probe',
    noBus,
    'lists nothing',
  ),
  check(
    'vfio.physical-functions',
    'fail',
    both(put(`${CARD}/sriov_totalvfs`, '8\n'), put(`${CARD}/sriov_numvfs`, '2\n')),
    'passqemu sriov 0000:01:00.0 0',
    noBus,
    'lists nothing',
  ),
  check(
    'vfio.ids-known',
    'warn',
    boot('vfio-pci.ids=10de:1b80'),
    'Take it out of vfio-pci.ids=',
    noParameters,
    '/proc/cmdline cannot be read',
  ),
  check(
    'vfio.ids-twins',
    'fail',
    both(twin, boot('vfio-pci.ids=10de:2684,8086:10d3')),
    'KERNEL=="0000:05:00.0", ATTR{driver_override}="vfio-pci"',
    noBus,
    'lists nothing',
  ),
  check(
    'vfio.ids-taken',
    'fail',
    put('/etc/modprobe.d/vfio.conf', 'options vfio-pci ids=8086:10d3\n'),
    'Write "softdep e1000e pre: vfio-pci" to /etc/modprobe.d/vfio.conf (a line each), then update-initramfs -u and reboot',
    noParameters,
    '/proc/cmdline cannot be read',
  ),
  check(
    'vfio.softdep-builtin',
    'warn',
    put('/etc/modprobe.d/usb.conf', 'softdep xhci_hcd pre: vfio-pci\n'),
    'Leave the function to its driver at boot',
    drop(`/lib/modules/${RELEASE}/modules.builtin`),
    'modules.builtin',
  ),
  check(
    'vfio.initramfs',
    'warn',
    both(
      boot('vfio-pci.ids=10de:2684'),
      put(`/boot/initrd.img-${RELEASE}`, archiveOf('usr/lib/modules/x/kernel/drivers/gpu/drm/i915/i915.ko')),
    ),
    'Add the lines vfio_pci, vfio and vfio_iommu_type1 to /etc/initramfs-tools/modules, then update-initramfs -u and reboot',
    boot('vfio-pci.ids=10de:2684'),
    'the initramfs of the running kernel is not where it is known to be',
  ),
  check(
    'vfio.blacklist',
    'warn',
    both(drop(`${OWN}/driver`), put('/etc/modprobe.d/gpu.conf', 'blacklist i915\n')),
    'Remove the line "blacklist i915"',
    noBus,
    'lists nothing',
  ),
  check(
    'kvm.device',
    'fail',
    drop('/dev/kvm'),
    'modprobe kvm_intel',
    both(drop('/dev/kvm', '/sys/module/kvm_intel'), noLists),
    'no list of the kernel’s modules',
  ),
  check(
    'kvm.helper-modules',
    'warn',
    without('tun'),
    'apt install linux-image-amd64',
    noLists,
    'no list of the kernel’s modules',
  ),
  check(
    'kvm.clocksource',
    'warn',
    edit('/sys/devices/system/clocksource/clocksource0/current_clocksource', 'tsc', 'hpet'),
    'journalctl -k -g tsc',
    drop('/sys/devices/system/clocksource'),
    'does not tell',
  ),
];

/** A cpio archive with one empty file. */
export function archiveOf(name: string): string {
  const entry = (path: string): string => {
    const fields = [1, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, path.length + 1, 0].map((field) =>
      field.toString(16).padStart(8, '0'),
    );
    const head = `070701${fields.join('')}${path}\0`;
    return head.padEnd(Math.ceil(head.length / 4) * 4, '\0');
  };
  return entry(name) + entry('TRAILER!!!');
}
