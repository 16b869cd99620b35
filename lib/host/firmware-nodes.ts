import type { PciAddress } from '../words/pci-address.ts';
import { type DeviceNode, readNode } from './device-node.ts';
import { cardOf, readFirmwareFrameBuffers } from './frame-buffers.ts';
import type { Host } from './host.ts';

/**
 * The nodes of the firmware's picture (/dev/fb0 of efifb, /dev/dri/card0 of simpledrm) on one of these cards. Its device lies below
 * none or below the card, by kernel; and whoever has them open keeps the card's memory claimed, also after its driver has gone.
 */
export function readFirmwareNodes(host: Host, addresses: readonly PciAddress[]): DeviceNode[] {
  const paths = ['graphics', 'drm'].flatMap((name) =>
    host.list(`/sys/class/${name}`).flatMap((entry) => {
      const path = host.realPath(`/sys/class/${name}/${entry}`);
      return path !== null && /\/[a-z]+-framebuffer\.\d+\//.test(path) ? [path] : [];
    }),
  );
  if (paths.length === 0) return [];
  const firmware = readFirmwareFrameBuffers(host);
  return paths.flatMap((path) => {
    const address = cardOf(path, firmware);
    if (address === null || !addresses.includes(address)) return [];
    const node = readNode(host, path, { address, type: 'character', shared: false });
    return node === null ? [] : [node];
  });
}
