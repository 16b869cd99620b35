import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { parseAddresses } from './pci-tree.ts';

/** The members of an IOMMU group in the order of their addresses; empty where there is no such group. See Documentation/ABI/testing/sysfs-kernel-iommu_groups. */
export function readIommuGroup(host: Host, group: number): PciAddress[] {
  return parseAddresses(host.list(`/sys/kernel/iommu_groups/${group}/devices`));
}

/** Whether the kernel isolates devices at all, and by which units ("dmar0", "ivhd0"). */
export function readIommu(host: Host): { enabled: boolean; units: string[] } {
  return {
    enabled: host.list('/sys/kernel/iommu_groups').length > 0,
    units: host.list('/sys/class/iommu'),
  };
}
