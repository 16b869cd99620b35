import type { PciFunction } from '../host/pci-function.ts';
import { isHarmlessInGroup } from '../words/vfio-driver.ts';

/**
 * Whether a function, as it is bound now, keeps VFIO from opening its group (Documentation/driver-api/vfio.rst, "Groups, Devices,
 * and IOMMUs"). Bridges do not: they pass on what the members say.
 */
export function blocksGroup(fn: PciFunction): boolean {
  return !fn.isBridge && !fn.isVfio && !isHarmlessInGroup(fn.driver);
}
