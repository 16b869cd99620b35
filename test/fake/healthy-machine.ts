import { HostError } from '../../lib/words/errors.ts';
import { addCpuMachine } from './cpu-machine.ts';
import { addClassDevice } from './device-model.ts';
import { FakeHost } from './fake-host.ts';
import { addKnobs, addLogind } from './knobs-model.ts';
import { addMemory } from './memory-model.ts';
import { addModule, addPciDevice, loadDriver } from './pci-model.ts';

/** The process of libvirt’s daemon. */
export const DAEMON = 900;
export const RELEASE = '6.12.95-amd64';
export const CARD = '/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0';

/** A machine that keeps some files to itself, as the kernel does from ordinary users, and as EIO does from all. */
export class PickyHost extends FakeHost {
  readonly #denied = new Map<string, string>();

  /** From now on the path, and what is below it, is not to be read. */
  deny(path: string, code = 'EACCES'): this {
    this.#denied.set(path, code);
    return this;
  }
  override read(path: string): string {
    this.#check(path);
    return super.read(path);
  }
  override readOptional(path: string): string | null {
    return this.#codeOf(path) === null ? super.readOptional(path) : null;
  }
  override readBytes(path: string, limit?: number): Buffer {
    this.#check(path);
    // What a fake file holds is text; of a ROM each character is a byte
    if (path.endsWith('.rom')) return Buffer.from(this.read(path), 'latin1').subarray(0, limit);
    return super.readBytes(path, limit);
  }
  #check(path: string): void {
    const code = this.#codeOf(path);
    if (code !== null) throw new HostError(`Cannot read ${path}: ${code}`, { code, path });
  }
  #codeOf(path: string): string | null {
    for (const [denied, code] of this.#denied)
      if (path === denied || path.startsWith(`${denied}/`)) return code;
    return null;
  }
}

/** A desktop on which every check is content: Intel with VT-d, Debian with GRUB, its own graphics and a card on vfio-pci for the guest. */
export function healthyMachine(): PickyHost {
  const host = new PickyHost();
  addCpuMachine(host, { systemd: true, forgets: false });
  addTopology(host);
  addMemory(host, [
    {
      id: 0,
      cpus: '0-7',
      totalKib: 32 << 20,
      freeKib: 24 << 20,
      pools: { 2048: { pages: 0 }, 1048576: { pages: 0 } },
    },
  ]);
  addKnobs(host);
  addLogind(host);
  addKernel(host);
  addModules(host);
  addCards(host);
  addLibvirt(host);
  addFirmware(host);
  addGuestFiles(host);
  return host;
}

function addTopology(host: FakeHost): void {
  for (let cpu = 0; cpu < 8; cpu++) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}`;
    const mates = `${cpu & ~1}-${cpu | 1}\n`;
    host
      .put(`${folder}/topology/physical_package_id`, '0\n')
      .put(`${folder}/topology/die_id`, '0\n')
      .put(`${folder}/topology/core_id`, `${cpu >> 1}\n`)
      .put(`${folder}/topology/core_cpus_list`, mates);
    const cache = `${folder}/cache/index3`;
    host.put(`${cache}/level`, '3\n').put(`${cache}/type`, 'Unified\n').put(`${cache}/id`, '0\n');
    host.put(`${cache}/size`, '32768K\n').put(`${cache}/shared_cpu_list`, '0-7\n');
    host.put(`/sys/devices/system/cpu/cpufreq/policy${cpu & ~1}/scaling_governor`, 'performance\n');
  }
  host.put('/sys/devices/system/cpu/cpufreq/policy4/energy_performance_preference', 'performance\n');
}

function addKernel(host: FakeHost): void {
  const flags = 'fpu vme msr pae vmx lm pdpe1gb constant_tsc nonstop_tsc';
  host.put(
    '/proc/cpuinfo',
    `processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM)\naddress sizes\t: 39 bits physical, 48 bits virtual\nflags\t\t: ${flags}\n\nprocessor\t: 1\n`,
  );
  host.put(
    '/proc/cmdline',
    `BOOT_IMAGE=/vmlinuz-${RELEASE} root=/dev/nvme0n1p2 ro intel_iommu=on iommu=pt quiet\n`,
  );
  host.put(
    '/dev/kmsg',
    '6,0,0,-;Linux version 6.12.95-amd64\n6,1,10,-;DMAR: IOMMU enabled\n SUBSYSTEM=pci\n',
  );
  host.put('/proc/interrupts', '           CPU0\n 120:   5  IR-PCI-MSI-0000:03:00.0 0-edge eth0\n');
  host.put('/proc/iomem', '00000000-00000fff : Reserved\ne0000000-efffffff : PCI Bus 0000:00\n');
  host.put('/proc/sys/kernel/tainted', '0\n');
  host.put('/proc/buddyinfo', 'Node 0, zone   Normal  1 1 1 1 1 1 1 1 1 1 5000\n');
  host.put('/proc/meminfo', 'MemTotal: 33554432 kB\nMemFree: 25165824 kB\nHugepagesize: 2048 kB\n');
  host.put(
    '/proc/self/limits',
    'Limit  Soft  Hard  Units\nMax locked memory         8388608              8388608              bytes\n',
  );
  host.put('/proc/stat', 'cpu 1 2 3\nbtime 1700000000\n');
  host.put('/sys/firmware/acpi/tables/DMAR', 'DMAR').put('/sys/firmware/acpi/tables/FACP', 'FACP');
  host.put('/sys/kernel/mm/ksm/run', '0\n');
  host.put('/sys/devices/system/clocksource/clocksource0/current_clocksource', 'tsc\n');
  host.put('/sys/module/pcie_aspm/parameters/policy', '[default] performance powersave powersupersave\n');
  host.put('/etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n');
  host.put('/etc/default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n');
}

function addModules(host: FakeHost): void {
  for (const name of ['vfio-pci', 'vfio_iommu_type1', 'iommufd', 'kvm', 'kvm_intel', 'vhost_net', 'tun'])
    addModule(host, name);
  loadDriver(host, 'vfio-pci');
  host.put(`/lib/modules/${RELEASE}/modules.builtin`, 'kernel/drivers/usb/host/xhci-hcd.ko\n');
  host.put('/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts', 'N\n');
  host.put('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode', 'N\n');
  host
    .put('/sys/module/kvm/parameters/ignore_msrs', 'N\n')
    .put('/sys/module/kvm/parameters/report_ignored_msrs', 'Y\n');
  host.put('/sys/module/kvm_intel/parameters/nested', 'Y\n');
  host.putDevice('/dev/kvm', 'character', '10:232');
  host.putDevice('/dev/vfio/vfio', 'character', '10:196');
}

function addCards(host: FakeHost): void {
  const own = addPciDevice(host, {
    address: '0000:00:02.0',
    vendor: '8086',
    device: '4680',
    class: '030000',
    group: 0,
    driver: 'i915',
    bootVga: true,
    bars: [{ index: 0, sizeBytes: 16 << 20 }],
  });
  host.put(`${own}/rom`, '');
  addClassDevice(host, 'drm', `${own}/drm/card0`, { rdev: '226:0', devname: 'dri/card0' });
  addClassDevice(host, 'drm', `${own}/drm/renderD128`, { rdev: '226:128', devname: 'dri/renderD128' });
  addPciDevice(host, {
    address: '0000:00:01.0',
    vendor: '8086',
    device: '460d',
    class: '060400',
    group: 1,
    driver: 'pcieport',
  });
  addPciDevice(host, {
    address: '0000:01:00.0',
    vendor: '10de',
    device: '2684',
    class: '030000',
    group: 2,
    driver: 'vfio-pci',
    bootVga: false,
    bars: [{ index: 1, sizeBytes: 256 << 20, resizable: true }],
    parent: '0000:00:01.0',
    node: 0,
  });
  host.put(`${CARD}/rom`, '');
  addPciDevice(host, {
    address: '0000:01:00.1',
    vendor: '10de',
    device: '22ba',
    class: '040300',
    group: 2,
    driver: 'vfio-pci',
    parent: '0000:00:01.0',
    node: 0,
  });
  addPciDevice(host, {
    address: '0000:03:00.0',
    vendor: '8086',
    device: '10d3',
    class: '020000',
    group: 3,
    driver: 'e1000e',
  });
  for (const group of [0, 1, 2, 3]) host.put(`/sys/kernel/iommu_groups/${group}/type`, 'identity\n');
  host.put('/sys/class/iommu/dmar0/intel-iommu/cap', '1c0000c40660462\n');
  host.put('/sys/bus/usb/devices/1-1/idVendor', '046d\n').put('/sys/bus/usb/devices/1-1/idProduct', 'c31c\n');
  host.put('/sys/bus/usb/devices/1-1/busnum', '1\n').put('/sys/bus/usb/devices/1-1/devnum', '4\n');
}

function addLibvirt(host: FakeHost): void {
  host.put('/usr/bin/virtqemud', 'ELF', 0o755);
  addProcess(host, DAEMON, 'virtqemud');
  host.putLink('/usr/lib/x86_64-linux-gnu/libvirt.so.0', 'libvirt.so.0.11003.0');
  host.put('/usr/bin/qemu-system-x86_64', 'ELF', 0o755);
  host.put(
    '/var/lib/dpkg/status',
    'Package: a\nVersion: 1\n\nPackage: qemu-system-x86\nStatus: install ok\nVersion: 1:10.0.2+ds-2\n\n',
  );
  host.put('/usr/bin/node', 'ELF', 0o755);
  host.put(
    '/etc/libvirt/hooks/qemu.d/passqemu',
    "#!/bin/sh\n# passqemu, hook for libvirt\nnode='/usr/bin/node'\n",
    0o755,
  );
  host.put('/etc/libvirt/qemu.conf', '# user = "root"\n');
  host.put('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n').put('/etc/group', 'root:x:0:\nkvm:x:104:\n');
  host.put('/etc/systemd/system/passqemu-recover.service', '[Unit]\n');
}

/** Puts a process into /proc as stat(5) has it. */
export function addProcess(
  host: FakeHost,
  pid: number,
  comm: string,
  { state = 'S', startTicks = 5000 } = {},
): void {
  host.put(
    `/proc/${pid}/stat`,
    `${pid} (${comm}) ${state} 1 1 1 0 -1 4194560 ${'0 '.repeat(12)}${startTicks} 0 0\n`,
  );
  host.put(`/proc/${pid}/comm`, `${comm}\n`).put(`/proc/${pid}/cmdline`, `${comm}\0`);
}

function addFirmware(host: FakeHost): void {
  host.put('/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c', '\x06\0\0\0\0');
  host.put('/sys/kernel/security/lockdown', '[none] integrity confidentiality\n');
  host.put('/usr/share/OVMF/OVMF_CODE_4M.fd', 'c'.repeat(3_653_632));
  host.put('/usr/share/OVMF/OVMF_VARS_4M.fd', 'v'.repeat(540_672));
  host.put('/usr/bin/swtpm', 'ELF', 0o755);
}

function addGuestFiles(host: FakeHost): void {
  host.put('/var/lib/libvirt/images/win11.qcow2', 'QFI');
  host.put('/usr/share/vgabios/card.rom', '\x55\xaa', 0o644);
  host.putDevice('/dev/input/by-id/usb-keyboard-event-kbd', 'character', '13:64');
  host.put('/etc/passqemu/win11.ini', '');
}

/** The guest of that machine, with nothing to say against it. */
export const HEALTHY_XML = `<domain type='kvm'>
  <name>win11</name>
  <uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>
  <metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0"><libosinfo:os id="http://microsoft.com/win/11"/></libosinfo:libosinfo></metadata>
  <memory unit='GiB'>8</memory>
  <vcpu placement='static'>4</vcpu>
  <cputune>
    <vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='1' cpuset='5'/><vcpupin vcpu='2' cpuset='6'/><vcpupin vcpu='3' cpuset='7'/>
    <emulatorpin cpuset='0-1'/>
  </cputune>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/var/lib/libvirt/qemu/nvram/win11_VARS.fd</nvram>
  </os>
  <features>
    <hyperv mode='custom'><relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/><vpindex state='on'/><synic state='on'/><stimer state='on'/><vendor_id state='on' value='0123456789ab'/></hyperv>
    <kvm><hidden state='on'/></kvm>
  </features>
  <cpu mode='host-passthrough'><topology sockets='1' cores='2' threads='2'/><maxphysaddr mode='passthrough' limit='39'/></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><source file='/var/lib/libvirt/images/win11.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <interface type='network'><source network='default'/><model type='virtio'/></interface>
    <input type='evdev'><source dev='/dev/input/by-id/usb-keyboard-event-kbd'/></input>
    <hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source><rom file='/usr/share/vgabios/card.rom'/></hostdev>
    <hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/></source></hostdev>
    <hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc31c'/></source></hostdev>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
    <memballoon model='none'/>
  </devices>
</domain>`;
