import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { pciFolder } from './pci-function.ts';

/** The header of the configuration space; a virtual function reads as ones in its first four bytes only. */
const HEADER_BYTES = 64;

/**
 * Whether a function does not answer: its configuration reads as ones. It is off the bus, or stays in D3cold; to look is to wake it
 * (drivers/pci/pci-sysfs.c). False where the kernel shows none.
 */
export function isSilent(host: Host, address: PciAddress): boolean {
  const path = `${pciFolder(address)}/config`;
  if (!host.exists(path)) return false;
  const header = host.readBytes(path, HEADER_BYTES);
  return header.length > 0 && header.every((byte) => byte === 0xff);
}
