import type { PciAddress } from '../words/pci-address.ts';
import type { DeviceNode } from './device-node.ts';
import type { Host } from './host.ts';

/**
 * The nodes of NVIDIA's own driver, which no class of /sys/class lists: /dev/nvidiaN by the minor that the driver tells in
 * /proc, and those that all of its GPUs use (`shared` where there are other GPUs). Majors come from /proc/devices.
 */
export function readNvidiaNodes(host: Host, address: PciAddress, shared: boolean): DeviceNode[] {
  // The driver writes the domain with four digits or with eight, by version
  const folder = [address, `0000${address}`]
    .map((name) => `/proc/driver/nvidia/gpus/${name}`)
    .find((path) => host.exists(path));
  if (folder === undefined) return [];
  const minor = /^Device Minor:\s*(\d{1,6})$/m.exec(host.readOptional(`${folder}/information`) ?? '')?.[1];
  const majors = readMajors(host);
  const main = majors.get('nvidia') ?? majors.get('nvidia-frontend');
  const about = { address, type: 'character' } as const;
  const nodes: DeviceNode[] = [];
  if (main !== undefined) {
    if (minor !== undefined) {
      nodes.push({ ...about, path: `/dev/nvidia${minor}`, rdev: `${main}:${minor}`, shared: false });
    }
    nodes.push({ ...about, path: '/dev/nvidia-modeset', rdev: `${main}:254`, shared });
    nodes.push({ ...about, path: '/dev/nvidiactl', rdev: `${main}:255`, shared });
  }
  const compute = majors.get('nvidia-uvm');
  if (compute !== undefined) {
    nodes.push({ ...about, path: '/dev/nvidia-uvm', rdev: `${compute}:0`, shared });
    nodes.push({ ...about, path: '/dev/nvidia-uvm-tools', rdev: `${compute}:1`, shared });
  }
  return nodes;
}

/** "195 nvidia" lines of the character half of /proc/devices. */
function readMajors(host: Host): ReadonlyMap<string, string> {
  const majors = new Map<string, string>();
  const text = (host.readOptional('/proc/devices') ?? '').split('Block devices:')[0] ?? '';
  for (const [, major, name] of text.matchAll(/^\s*(\d{1,6}) (\S+)$/gm)) majors.set(name!, major!);
  return majors;
}
