import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { isVfioDriver } from '../words/vfio-driver.ts';
import { behindPath, readBlockDevices } from './block-devices.ts';
import { type DeviceNode, readNode } from './device-node.ts';
import { readFirmwareNodes } from './firmware-nodes.ts';
import type { Host } from './host.ts';
import { readNvidiaNodes } from './nvidia-nodes.ts';
import { pciFolder } from './pci-function.ts';
import { parseAddresses } from './pci-tree.ts';

/**
 * The nodes whose users would block or be hurt by an unbind: graphics, sound, I2C and DP-AUX of graphics cards, framebuffers,
 * NVIDIA's and AMD's compute nodes, disks, NVMe and SCSI, VFIO groups. Input, TTYs and network interfaces give way by themselves.
 */
export function readDeviceNodes(host: Host, addresses: readonly PciAddress[]): DeviceNode[] {
  const bound = addresses.filter((address) => host.linkName(`${pciFolder(address)}/driver`) !== null);
  const asked = new Set(addresses);
  const classes = new Map<string, Set<string>>();
  for (const address of bound) {
    for (const name of classesOf(host, address)) {
      const members = classes.get(name) ?? new Set();
      classes.set(name, members.add(address));
    }
  }
  const nodes = [...classes].flatMap(([name, members]) => readClassNodes(host, name, members));
  const displays = addresses.filter((address) => kindOf(host, address) === 'display');
  const firmware = displays.length === 0 ? [] : readFirmwareNodes(host, displays);
  return [
    ...nodes,
    ...firmware.filter(({ path }) => nodes.every((one) => one.path !== path)),
    ...readComputeNodes(host, bound, asked),
    ...bound.flatMap((address) => readVfioNodes(host, address)),
    ...readBlockNodes(host, bound),
  ];
}

/** The classes of /sys/class that a function of its kind can have nodes in. */
function classesOf(host: Host, address: PciAddress): readonly string[] {
  return CLASSES_OF_KIND[kindOf(host, address)] ?? EVERY_CLASS;
}

function kindOf(host: Host, address: PciAddress) {
  return pciKind((host.readOptional(`${pciFolder(address)}/class`) ?? '').slice(2));
}

const GRAPHICS = ['drm', 'accel', 'graphics', 'i2c-dev', 'drm_dp_aux_dev', 'sound'];
const CLASSES_OF_KIND: Readonly<Record<string, readonly string[]>> = {
  network: [],
  usb: [],
  bridge: [],
  nvme: ['nvme', 'nvme-generic'],
  storage: ['scsi_generic'],
  audio: ['sound'],
  display: GRAPHICS,
};
const EVERY_CLASS = [...GRAPHICS, 'nvme', 'nvme-generic', 'scsi_generic'];

/** Whether the function's driver has others beside the asked-for ones. */
function sharesDriver(host: Host, address: PciAddress, asked: ReadonlySet<PciAddress>): boolean {
  const members = parseAddresses(host.list(`${pciFolder(address)}/driver`));
  return members.some((member) => !asked.has(member));
}

function readClassNodes(host: Host, name: string, wanted: ReadonlySet<string>): DeviceNode[] {
  const nodes: DeviceNode[] = [];
  for (const entry of host.list(`/sys/class/${name}`)) {
    const path = host.realPath(`/sys/class/${name}/${entry}`);
    for (const address of behindPath(path ?? '', wanted)) {
      const node = readNode(host, path!, { address, type: 'character', shared: false });
      if (node !== null) nodes.push(node);
    }
  }
  return nodes;
}

function readBlockNodes(host: Host, bound: readonly PciAddress[]): DeviceNode[] {
  return readBlockDevices(host, bound).flatMap(({ name, rdev, address }) =>
    rdev === null ? [] : [{ address, path: `/dev/${name}`, rdev, type: 'block' as const, shared: false }],
  );
}

/** NVIDIA's own nodes, and the one /dev/kfd of all AMD GPUs (Documentation/gpu/amdgpu). */
function readComputeNodes(
  host: Host,
  bound: readonly PciAddress[],
  asked: ReadonlySet<PciAddress>,
): DeviceNode[] {
  const sharing = new Map<string, boolean>();
  return bound.flatMap((address) => {
    const driver = host.linkName(`${pciFolder(address)}/driver`);
    if (driver !== 'nvidia' && driver !== 'amdgpu') return [];
    const shared = sharing.get(driver) ?? sharesDriver(host, address, asked);
    sharing.set(driver, shared);
    if (driver === 'nvidia') return readNvidiaNodes(host, address, shared);
    const node = readNode(host, '/sys/class/kfd/kfd', { address, type: 'character', shared });
    return node === null ? [] : [node];
  });
}

/** The group's node /dev/vfio/N, and the function's own /dev/vfio/devices/vfioN where the kernel has it (6.6 with cdev). */
function readVfioNodes(host: Host, address: PciAddress): DeviceNode[] {
  const folder = pciFolder(address);
  if (!isVfioDriver(host.linkName(`${folder}/driver`)) && !host.exists(`${folder}/vfio-dev`)) return [];
  const nodes: DeviceNode[] = [];
  const group = host.linkName(`${folder}/iommu_group`);
  const about = { address, type: 'character', shared: false } as const;
  const ofGroup = group === null ? null : readNode(host, `/sys/class/vfio/${group}`, about);
  if (ofGroup !== null) nodes.push(ofGroup);
  for (const name of host.list(`${folder}/vfio-dev`)) {
    const own = readNode(host, `${folder}/vfio-dev/${name}`, about);
    if (own !== null) nodes.push(own);
  }
  return nodes;
}
