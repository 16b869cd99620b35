import type { PciAddress } from '../words/pci-address.ts';
import type { DeviceNode } from './device-node.ts';
import type { Holder } from './holders.ts';
import type { ModuleState } from './kernel-modules.ts';
import type { PciFunction } from './pci-function.ts';
import type { Use } from './uses.ts';
import type { VfioDriver } from './vfio-drivers.ts';

/** What the planner of devices needs to know of the host, as data. */
export interface DevicePicture {
  readonly iommu: boolean;
  /** For each request of the profile, in its order, the functions that its selector fits. */
  readonly candidates: readonly (readonly PciAddress[])[];
  /** For a request whose address holds nothing, or not what was meant: where that is now. In the order of the requests. */
  readonly elsewhere: readonly (readonly PciAddress[])[];
  /** What the requests mean (`chosenOf`), functions of the domain, the members of their groups, and the other functions of their cards. */
  readonly functions: ReadonlyMap<PciAddress, PciFunction>;
  /** The members of every group that one of them is in, readable or not. */
  readonly groups: ReadonlyMap<number, readonly PciAddress[]>;
  readonly uses: readonly Use[];
  readonly nodes: readonly DeviceNode[];
  readonly holders: readonly Holder[];
  /** Processes whose open files could not be seen. */
  readonly unseen: number;
  /** The VFIO driver for each named function that is not on one yet. */
  readonly vfioDrivers: ReadonlyMap<PciAddress, VfioDriver>;
  /** Modules by the kernel's name for them: those drivers', and vfio_iommu_type1. */
  readonly modules: ReadonlyMap<string, ModuleState>;
  /** Graphics cards among the named ones that do not answer (`isSilent`). */
  readonly silent: ReadonlySet<PciAddress>;
  /** Whether the module vendor-reset is loaded, which can reset some AMD cards. */
  readonly vendorReset: boolean;
}
