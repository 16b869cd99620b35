import type { CpuSet } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { FirmwareImage } from './guest-firmware.ts';
import type { PathFacts } from './host.ts';

/** What QEMU says of itself, asked of the binary and never guessed from its version. */
export interface QemuCapabilities {
  readonly path: string;
  readonly version: readonly [number, number, number];
  /** By their names and aliases (-device help). */
  readonly devices: ReadonlySet<string>;
  /** -object help. */
  readonly objects: ReadonlySet<string>;
  /** Properties of the board (-machine TYPE,help), by board. */
  readonly machineProperties: ReadonlyMap<string, ReadonlySet<string>>;
  /** Properties of vfio-pci (-device vfio-pci,help). */
  readonly vfioProperties: ReadonlySet<string>;
  readonly audioDrivers: ReadonlySet<string>;
  readonly displays: ReadonlySet<string>;
  readonly netdevs: ReadonlySet<string>;
  readonly accelerators: ReadonlySet<string>;
  /** The text of --help, for options such as -run-with. */
  readonly options: ReadonlySet<string>;
}

/** A program beside QEMU that the guest needs, or null where there is none. */
export interface RunPrograms {
  readonly swtpm: string | null;
  readonly swtpmSetup: string | null;
  /** The old one in C takes other words than the new one in Rust. */
  readonly virtiofsd: { readonly path: string; readonly kind: 'c' | 'rust' } | null;
  readonly bridgeHelper: string | null;
}

/** The guest's own firmware variables. */
export interface VariablesPicture {
  readonly path: string;
  readonly exists: boolean;
  /** What was written down when they were copied; null where nothing was. */
  readonly copiedFrom: { readonly path: string; readonly digest: string } | null;
}

/** What the command line of a guest depends on of the host, as data. */
export interface RunPicture {
  readonly isRoot: boolean;
  /** /dev/kvm: there and ours to open. */
  readonly kvm: 'usable' | 'missing' | 'denied';
  readonly vhostNet: boolean;
  readonly processorVendor: 'amd' | 'intel' | 'other';
  readonly onlineCpus: CpuSet;
  /** Every path that the profile names, links followed; null where nothing is. */
  readonly files: ReadonlyMap<string, PathFacts | null>;
  /** Where those paths that are links lead; others are not in it. */
  readonly realPaths: ReadonlyMap<string, string>;
  /** The function of each label of [devices]; null where there is none, or more than one. */
  readonly functions: ReadonlyMap<
    string,
    { readonly address: PciAddress; readonly isVirtual: boolean } | null
  >;
  /** Whether /dev/iommu and the functions' own character devices are there. */
  readonly iommufd: boolean;
  /** Ports that somebody listens on, as "tcp:2222"; on any address. */
  readonly portsInUse: ReadonlySet<string>;
  /** Other QEMUs that run. */
  readonly running: readonly {
    readonly pid: number;
    readonly guest: string | null;
    readonly uuid: string | null;
    readonly files: ReadonlySet<string>;
  }[];
  /** Block devices of the profile that the host uses. */
  readonly busyDisks: ReadonlySet<string>;
  readonly firmware: readonly FirmwareImage[];
  readonly variables: VariablesPicture;
  /** SHA-256 of each template of variables that is there. */
  readonly templateDigests: ReadonlyMap<string, string>;
  readonly interfaces: ReadonlyMap<
    string,
    { readonly index: number; readonly isBridge: boolean; readonly isTap: boolean }
  >;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number } | null;
  readonly programs: RunPrograms;
  /** /sys/class/dmi/id, by file name. */
  readonly dmi: ReadonlyMap<string, string>;
  /** Mounts of hugetlbfs, by page size in KiB. */
  readonly hugetlbfs: ReadonlyMap<number, string>;
  /** Where sockets of this guest are while it runs. */
  readonly runFolder: string;
  /** Where this guest's own files stay. */
  readonly dataFolder: string;
  /** The sound server's folder. */
  readonly runtimeFolder: string | null;
}
