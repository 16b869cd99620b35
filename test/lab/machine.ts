import path from 'node:path';
import { processorModel, processors } from './build/processor.ts';
import type { Image } from './image.ts';
import type { LabOptions } from './options.ts';
import type { RunFolder } from './run-folder.ts';
import type { Iommu } from './words.ts';

export interface Wiring {
  image: Image;
  run: RunFolder;
  /** The script's folder, at /lab/files, read-only. */
  files: string;
  /** The word that the closing line must carry. */
  word: string;
  /** The kernel as the distribution has it, which UEFI firmware can start. */
  packedKernel?: string;
  /** Keep what the machine writes to its root disk: only for the image's own first boot. */
  keepDisk?: boolean;
}

type MachineOptions = Pick<
  LabOptions,
  | 'tier'
  | 'suite'
  | 'iommu'
  | 'gpu'
  | 'bootGpu'
  | 'uefi'
  | 'sriov'
  | 'nestedKvm'
  | 'memoryMiB'
  | 'append'
  | 'qemuArguments'
  | 'shell'
  | 'shape'
>;

/** The arguments of QEMU for one lab machine. */
export function machineArguments(options: MachineOptions, wiring: Wiring): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-monitor', 'none'],
    ...['-qmp', `unix:${quoted(wiring.run.monitor)},server=on,wait=off`],
    ...['-machine', 'q35,kernel-irqchip=split', '-accel', 'tcg,thread=single'],
    ...(options.uefi ? uefiFirmware : []),
    ...['-cpu', processorOf(options), '-acpitable', `file=${quoted(wiring.image.pStates)}`],
    ...['-kernel', wiring.packedKernel ?? wiring.image.kernel, '-initrd', wiring.image.initrd],
    ...['-append', kernelCommandLine(options, wiring.word)],
    ...['-serial', `file:${wiring.run.console}`],
    ...['-chardev', `stdio,id=script,signal=${options.shell ? 'off' : 'on'}`, '-serial', 'chardev:script'],
    ...device('isa-debug-exit,iobase=0x501,iosize=1'),
    ...iommuDevice(options.iommu),
    ...(options.shape === null ? topology(options.memoryMiB) : []),
    ...hostDevices(wiring),
    ...device(`${options.bootGpu},bus=pcie.0,addr=04.0`),
    ...(options.shape ?? candidates(options, wiring.run)),
    ...options.qemuArguments,
  ];
}

/** Nothing that it writes to its variables stays. */
const uefiFirmware = ['CODE', 'VARS'].flatMap((part) => [
  '-drive',
  `if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_${part}_4M.fd`,
]);

/** Page tables of five levels, which only a packed kernel turns on, are not emulated well: programs read rubbish from the kernel. */
function processorOf({ nestedKvm, uefi }: MachineOptions): string {
  return uefi ? `${processorModel(nestedKvm)},la57=off` : processorModel(nestedKvm);
}

function kernelCommandLine(options: MachineOptions, word: string): string {
  const iommu: Record<Iommu, string[]> = {
    intel: ['intel_iommu=on', 'iommu=pt'],
    amd: ['amd_iommu=on', 'iommu=pt'],
    none: [],
  };
  const init = options.tier === 'mid' ? '/lab/guest/start-mid' : '/usr/lib/systemd/systemd';
  return [
    'console=ttyS0 quiet panic=-1',
    // Emulated processors come and go at the whim of the host's scheduler.
    'tsc=reliable no_timer_check mitigations=off cryptomgr.notests watchdog_thresh=60 rcupdate.rcu_cpu_stall_suppress=1 usb_storage.delay_use=0',
    ...iommu[options.iommu],
    `lab.init=${init} lab.word=${word} lab.tier=${options.tier} lab.suite=${options.suite} lab.iommu=${options.iommu}`,
    ...(options.shell ? ['lab.shell'] : []),
    ...(options.tier === 'full' ? ['systemd.unit=lab.target systemd.show_status=0'] : []),
    ...options.append,
  ].join(' ');
}

function iommuDevice(iommu: Iommu): string[] {
  if (iommu === 'intel') return device('intel-iommu,intremap=on,caching-mode=on,aw-bits=48');
  return iommu === 'amd' ? device('amd-iommu,intremap=on') : [];
}

function topology(memoryMiB: number): string[] {
  const half = processors / 2;
  const node = (id: number): string[] => [
    ...['-object', `memory-backend-ram,id=memory${id},size=${memoryMiB / 2}M`],
    ...['-numa', `node,nodeid=${id},cpus=${id * half}-${(id + 1) * half - 1},memdev=memory${id}`],
  ];
  return [
    ...['-smp', `${processors},sockets=2,cores=2,threads=2`, '-m', `${memoryMiB}M`],
    ...node(0),
    ...node(1),
    ...['-numa', 'dist,src=0,dst=1,val=21'],
  ];
}

/** What the machine itself lives on: its disk, its two folders. */
function hostDevices(wiring: Wiring): string[] {
  const root = `if=none,id=root,format=raw,cache=unsafe,snapshot=${wiring.keepDisk ? 'off' : 'on'}`;
  return [
    ...['-fsdev', `local,id=lab,security_model=none,path=${quoted(wiring.run.share)}`],
    ...device('virtio-9p-pci,bus=pcie.0,addr=02.0,multifunction=on,fsdev=lab,mount_tag=lab'),
    ...['-fsdev', `local,id=files,security_model=none,readonly=on,path=${quoted(wiring.files)}`],
    ...device('virtio-9p-pci,bus=pcie.0,addr=02.1,fsdev=files,mount_tag=files'),
    ...['-drive', `${root},file=${quoted(wiring.image.disk)}`],
    ...device('virtio-blk-pci,bus=pcie.0,addr=03.0,drive=root'),
  ];
}

/** The devices that a guest may be given, each below a root port of its own. */
function candidates(options: MachineOptions, run: RunFolder): string[] {
  const graphics = options.gpu === null ? [] : device(`${options.gpu},bus=port4,addr=0.0,multifunction=on`);
  const sound = options.gpu === null ? 'addr=0.0' : 'addr=0.1';
  return [
    ...port(1, 'addr=10.0,multifunction=on'),
    ...device('e1000e,bus=port1,netdev=net1,mac=52:54:00:aa:00:01'),
    ...network(1),
    ...port(2, 'addr=10.1'),
    ...disk('nvme0', run.nvme0),
    ...device('nvme,bus=port2,serial=LABNVME0,drive=nvme0'),
    ...port(3, 'addr=10.2'),
    ...device('qemu-xhci,bus=port3,id=xhci'),
    ...device('usb-kbd,bus=xhci.0'),
    ...disk('stick', run.stick),
    ...device('usb-storage,bus=xhci.0,drive=stick'),
    ...port(4, 'addr=10.3'),
    ...graphics,
    ...device(`ich9-intel-hda,bus=port4,${sound},id=sound`),
    ...['-audiodev', 'none,id=silence'],
    ...device('hda-output,bus=sound.0,audiodev=silence'),
    // Behind a conventional bridge: one IOMMU group for the three of them.
    ...port(5, 'addr=10.4'),
    ...device('pcie-pci-bridge,bus=port5,id=bridge'),
    ...device('e1000,bus=bridge,addr=1,netdev=net2,mac=52:54:00:aa:00:02'),
    ...network(2),
    ...device('ich9-usb-ehci1,bus=bridge,addr=2'),
    // A second host bridge, the one of node 1.
    ...device('pxb-pcie,id=far,bus=pcie.0,addr=11.0,bus_nr=64,numa_node=1'),
    ...port(6, 'addr=0.0', 'far'),
    ...disk('nvme1', run.nvme1),
    ...device('nvme,bus=port6,serial=LABNVME1,drive=nvme1'),
    ...(options.sriov ? [...port(7, 'addr=10.5'), ...driveWithVirtualFunctions()] : []),
  ];
}

/** The functions get queues and interrupts from a pool of the drive; it has no namespace, so that the others keep their names. */
function driveWithVirtualFunctions(): string[] {
  const pools = 'sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2';
  return [
    ...device('nvme-subsys,id=shared'),
    ...device(`nvme,bus=port7,serial=LABNVME2,subsys=shared,${pools}`),
  ];
}

function device(text: string): string[] {
  return ['-device', text];
}

function port(number: number, place: string, bus = 'pcie.0'): string[] {
  return device(`pcie-root-port,bus=${bus},id=port${number},chassis=${number},${place}`);
}

function network(number: number): string[] {
  return ['-netdev', `user,id=net${number},restrict=on`];
}

function disk(name: string, file: string): string[] {
  return ['-drive', `if=none,id=${name},format=raw,cache=unsafe,file=${quoted(file)}`];
}

/** In the value of a QEMU option a comma is written twice. */
function quoted(text: string): string {
  return path.resolve(text).replaceAll(',', ',,');
}
