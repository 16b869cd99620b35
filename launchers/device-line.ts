import type { Host } from '../lib/host/host.ts';
import { readPciFunction } from '../lib/host/pci-function.ts';
import type { DeviceIdentity } from '../lib/inputs/profile.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import { pciKind } from '../lib/words/pci-class.ts';

/** What a profile says of a function beside its address. */
export interface DeviceAbout {
  /** The first word of its label: "gpu", "nic", else "device". */
  readonly kind: string;
  /** What must be found there at every start; null where there is no such function now. */
  readonly identity: DeviceIdentity | null;
  readonly comment: string;
}

/** Looks at the function, so that its line of the profile can say what it is. */
export function readDeviceAbout(host: Host, address: PciAddress): DeviceAbout {
  const found = readPciFunction(host, address);
  const kind = (found === null ? null : pciKind(found.classCode ?? '')) ?? 'device';
  if (found?.vendorId == null || found.deviceId === null) {
    return { kind, identity: null, comment: 'There is no such function on this host now' };
  }
  const { vendorId, deviceId, subsystemVendorId, subsystemId } = found;
  const identity = { vendorId, deviceId, subsystemVendorId, subsystemId };
  return { kind, identity, comment: `now on ${found.driver ?? 'no driver'}` };
}
