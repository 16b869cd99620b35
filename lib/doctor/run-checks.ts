import type { Checkup } from '../host/checkup.ts';
import { type Check, runCheck } from './check.ts';
import { CPU_CHECKS } from './cpus.ts';
import { type Finding, THEMES, type Theme } from './finding.ts';
import { FIRMWARE_CHECKS } from './firmware.ts';
import { GPU_CHECKS } from './gpu.ts';
import { GROUP_CHECKS } from './groups.ts';
import { GUEST_CHECKS } from './guest.ts';
import { IOMMU_CHECKS } from './iommu.ts';
import { KVM_CHECKS } from './kvm.ts';
import { LIBVIRT_CHECKS } from './libvirt.ts';
import { MEMORY_CHECKS } from './memory.ts';
import { POWER_CHECKS } from './power.ts';
import { PROCESSOR_CHECKS } from './processor.ts';
import { VFIO_CHECKS } from './vfio.ts';

/** All checks by their themes. */
export const CHECKS: Readonly<Record<Theme, readonly Check[]>> = {
  processor: PROCESSOR_CHECKS,
  iommu: IOMMU_CHECKS,
  groups: GROUP_CHECKS,
  vfio: VFIO_CHECKS,
  gpu: GPU_CHECKS,
  firmware: FIRMWARE_CHECKS,
  kvm: KVM_CHECKS,
  libvirt: LIBVIRT_CHECKS,
  memory: MEMORY_CHECKS,
  cpus: CPU_CHECKS,
  power: POWER_CHECKS,
  guest: GUEST_CHECKS,
};

/** Judges the picture by every check, in the order of the themes; those about a guest only where there is one. */
export function runChecks(checkup: Checkup): readonly Finding[] {
  return THEMES.filter((theme) => theme !== 'guest' || checkup.guest !== null).flatMap((theme) =>
    CHECKS[theme].map((check) => runCheck(theme, check, checkup)),
  );
}
