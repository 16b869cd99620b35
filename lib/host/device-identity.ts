import type { DeviceIdentity, DeviceSelector } from '../inputs/profile.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { PciFunction } from './pci-function.ts';

/** Whether a function is what an identity says; a subsystem that is not said fits any. */
export function isMeant(fn: PciFunction, identity: DeviceIdentity): boolean {
  const { vendorId, deviceId, subsystemVendorId, subsystemId } = identity;
  return (
    fn.vendorId === vendorId &&
    fn.deviceId === deviceId &&
    (subsystemVendorId === null || fn.subsystemVendorId === subsystemVendorId) &&
    (subsystemId === null || fn.subsystemId === subsystemId)
  );
}

/** A function's identity as the profile writes it; "unknown" for ids that could not be read. */
export function formatIdentityOf(fn: PciFunction): string {
  const ids = [fn.vendorId, fn.deviceId, fn.subsystemVendorId, fn.subsystemId];
  return ids.map((id) => id ?? 'unknown').join(':');
}

/** The one of the candidates that a selector means: the only one, or the one at its index; null where that is none. */
export function chosenOf(selector: DeviceSelector, candidates: readonly PciAddress[]): PciAddress | null {
  const index = 'index' in selector ? selector.index : null;
  if (index !== null) return candidates[index] ?? null;
  return candidates.length === 1 ? candidates[0]! : null;
}
