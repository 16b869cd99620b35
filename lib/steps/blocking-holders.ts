import { readDeviceNodes } from '../host/device-nodes.ts';
import { findHolders, nodeKey } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import type { PciAddress } from '../words/pci-address.ts';

/**
 * What has a node of the function open, in words: processes ("Xorg (1234 of gdm.service) by /dev/dri/card0"), and whatever has claimed one of
 * its disks since the plan was made (a mount, a swap, a volume: an exclusive open is refused then). Empty where an unbind may begin.
 */
export function blockingHolders(host: Host, address: PciAddress): readonly string[] {
  // A node that serves other functions too says nothing of this one
  const nodes = readDeviceNodes(host, [address]).filter(({ shared }) => !shared);
  const paths = new Map(nodes.map((node) => [nodeKey(node), node.path]));
  const processes = findHolders(host, nodes).holders.map(
    ({ pid, comm, unit, key }) =>
      `${comm} (${pid}${unit === null ? '' : ` of ${unit}`}) by ${paths.get(key) ?? key}`,
  );
  const claimed = nodes.filter(({ type, path }) => type === 'block' && host.claimable(path) === 'busy');
  return [
    ...processes,
    ...claimed.map(({ path }) => `the host, which has claimed ${path} (mounted, swap, or part of a volume)`),
  ];
}
