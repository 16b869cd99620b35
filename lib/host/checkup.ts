import type { PciAddress } from '../words/pci-address.ts';
import type { Seen } from '../words/seen.ts';
import type { BootFirmware } from './boot-firmware.ts';
import type { BootLoader } from './boot-loader.ts';
import type { CgroupMode } from './cgroups.ts';
import type { CpuRival } from './cpu-rivals.ts';
import type { CpuPolicy } from './cpufreq.ts';
import type { Distribution } from './distribution.ts';
import type { BootFramebuffer, DisplayCard, readXorg } from './graphics.ts';
import type { GuestCheckup } from './guest-checkup.ts';
import type { PathFacts } from './host.ts';
import type { IommuFacts } from './iommu-facts.ts';
import type { KernelParameter } from './kernel-parameters.ts';
import type { LibvirtFacts } from './libvirt-facts.ts';
import type { MemoryPicture } from './memory.ts';
import type { MemoryHealth } from './memory-health.ts';
import type { ModprobeLine } from './modprobe-config.ts';
import type { PciTree } from './pci-tree.ts';
import type { BlockedWriter, ProcessFacts } from './process-list.ts';
import type { Processor } from './processor.ts';
import type { Topology } from './topology.ts';
import type { VirtualizationFacts } from './virtualization.ts';

/** How a function that a guest has interrupts it, as /proc/interrupts names it. */
export type VfioInterrupt = 'intx' | 'msi' | 'msix';

/** Everything that the checks of `doctor` look at, as data: one picture of the host, and of one guest where one was named. */
export interface Checkup {
  readonly isRoot: boolean;
  /** A recorded machine: it has no device nodes, and of guests' files only what lies in the recorded folders. */
  readonly isRecorded: boolean;
  /** Whether device nodes cannot be told: a recorded folder has none, a snapshot's file has those that were there. */
  readonly lacksNodes: boolean;
  readonly distribution: Distribution;
  readonly bootLoader: BootLoader;
  readonly parameters: Seen<readonly KernelParameter[]>;
  readonly log: Seen<readonly string[]>;
  readonly modprobe: readonly ModprobeLine[];
  readonly processes: readonly ProcessFacts[];
  readonly blocked: readonly BlockedWriter[];
  readonly processor: Seen<Processor>;
  readonly iommu: IommuFacts;
  /** Why there is no tree is told where it is empty. */
  readonly functions: Seen<PciTree>;
  /** Whether `driverOverride` was read: it is not where somebody's write to the bus hangs. */
  readonly overridesRead: boolean;
  readonly groups: ReadonlyMap<number, readonly PciAddress[]>;
  /** From the system's pci.ids. */
  readonly names: ReadonlyMap<PciAddress, string>;
  readonly cards: readonly DisplayCard[];
  readonly bootFramebuffers: Seen<readonly BootFramebuffer[]>;
  readonly xorg: ReturnType<typeof readXorg>;
  readonly vfioNode: PathFacts | null;
  /** Asked only where devices are claimed at boot; null elsewhere. */
  readonly initramfsHasVfio: Seen<boolean> | null;
  readonly vfioInterrupts: Seen<ReadonlyMap<PciAddress, VfioInterrupt>>;
  readonly firmware: BootFirmware;
  readonly virtualization: VirtualizationFacts;
  readonly libvirt: LibvirtFacts;
  readonly memory: MemoryPicture;
  readonly memoryHealth: MemoryHealth;
  readonly topology: Topology;
  readonly policies: readonly CpuPolicy[];
  readonly cgroupMode: CgroupMode;
  readonly hasCpuset: boolean;
  readonly cpuRivals: readonly CpuRival[];
  readonly hasSystemd: boolean;
  readonly canInhibitSleep: boolean;
  /** How much of each second real-time tasks may take, in µs; -1 is all of it. */
  readonly rtRuntimeUs: string | null;
  readonly aspmPolicy: string | null;
  /** Guests that have a profile. */
  readonly profiles: readonly string[];
  readonly guest: GuestCheckup | null;
}
