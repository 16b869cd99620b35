import { readDeviceNodes } from '../host/device-nodes.ts';
import { findHolders, nodeKey } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import type { PciAddress } from '../words/pci-address.ts';

/** Processes that have a node of the function open, in words ("Xorg (1234) by /dev/dri/card0"); empty where an unbind may begin. */
export function blockingHolders(host: Host, address: PciAddress): readonly string[] {
  // A node that serves other functions too says nothing of this one
  const nodes = readDeviceNodes(host, [address]).filter(({ shared }) => !shared);
  const paths = new Map(nodes.map((node) => [nodeKey(node), node.path]));
  return findHolders(host, nodes).holders.map(
    ({ pid, comm, key }) => `${comm} (${pid}) by ${paths.get(key) ?? key}`,
  );
}
