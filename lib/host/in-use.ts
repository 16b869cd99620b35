import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { readKeyboardUses } from './keyboards.ts';
import { readNetworkUses } from './network.ts';
import { pciFolder } from './pci-function.ts';
import { readStorageUses } from './storage.ts';
import type { Use } from './uses.ts';

/** What the host itself does with these functions. Functions without a driver, or given to VFIO already, have nothing that could be used. */
export function readUses(host: Host, addresses: readonly PciAddress[]): Use[] {
  const bound = addresses.filter((address) => host.linkName(`${pciFolder(address)}/driver`) !== null);
  if (bound.length === 0) return [];
  return [...readStorageUses(host, bound), ...readNetworkUses(host, bound), ...readKeyboardUses(host, bound)];
}
