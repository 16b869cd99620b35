import type { PciAddress } from '../lib/words/pci-address.ts';
import type { DeviceReport } from './devices-report.ts';

/** The bridges above a function that are known, the one at the root bus first. */
export type PathTo = (address: PciAddress) => readonly PciAddress[];

/** Who hangs on whom, of these functions. */
export function pathsOf(devices: readonly DeviceReport[]): PathTo {
  const parents = new Map(devices.map(({ address, parent }) => [address, parent]));
  return (address) => {
    const path: PciAddress[] = [];
    for (let above = parents.get(address) ?? null; above !== null; above = parents.get(above) ?? null) {
      if (!parents.has(above) || path.includes(above)) break;
      path.unshift(above);
    }
    return path;
  };
}
