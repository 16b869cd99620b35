import type { CpuSet } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';

/** What a function must be, so that a card moved to another slot is not taken for it: "10de:2684" with or without ":subsystem ids". */
export interface DeviceIdentity {
  readonly vendorId: string;
  readonly deviceId: string;
  readonly subsystemVendorId: string | null;
  readonly subsystemId: string | null;
}

/** How a profile names a function. Everything but `address` must fit exactly one function, or `index` says which of them (from 0, by address). */
export type DeviceSelector =
  | { readonly by: 'address'; readonly address: PciAddress }
  | { readonly by: 'identity'; readonly identity: DeviceIdentity; readonly index: number | null }
  | { readonly by: 'class'; readonly classPrefix: string; readonly index: number | null }
  | { readonly by: 'mac'; readonly mac: string }
  | { readonly by: 'serial'; readonly serial: string };

/** One line of the profile's [devices]: `label` is the user's word for it. */
export interface DeviceRequest {
  readonly label: string;
  readonly selector: DeviceSelector;
  readonly identity: DeviceIdentity | null;
}

/** A command of the user's: argv, never a shell. */
export interface UserCommand {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/** A guest's profile, checked. Null means "not said": the domain XML or the default decides. */
export interface Profile {
  readonly guest: string;
  readonly path: string;
  readonly devices: {
    readonly requests: readonly DeviceRequest[];
    /** What happens to functions of a touched IOMMU group that nobody named. */
    readonly siblings: 'refuse' | 'park';
    /** Whether managed='yes' functions of the XML are taken by us. */
    readonly managed: 'take' | 'leave';
    readonly allowDefaultRoute: boolean;
    readonly keepAwake: 'display' | 'all' | 'no';
    /** "gpu:flr+bus": a label or an address, and the methods in the order in which they are tried. */
    readonly resetMethods: readonly string[];
    /** "gpu:0:256M": a label or an address, the BAR, its size. */
    readonly barSizes: readonly string[];
    readonly deadlineMs: number;
  };
  readonly memory: {
    /** Page size in KiB; 0 is "off": none are taken, whatever the domain XML asks for. */
    readonly hugepageKib: number | null;
    readonly sizeKib: number | null;
    readonly nodes: readonly { readonly node: number; readonly sizeKib: number }[] | null;
    readonly waitMs: number;
    readonly compact: boolean;
    readonly dropCaches: boolean;
  };
  readonly cpu: {
    /** CPUs that belong to the guest: vCPUs, and iothreads where they have their own. */
    readonly guest: CpuSet | null;
    readonly isolate: boolean;
    readonly irqs: boolean;
    readonly workqueues: boolean;
    readonly governor: string | null;
    readonly energy: string | null;
  };
  /** How the display that the host has on the guest's card lets go of it. */
  readonly handover: {
    readonly display: boolean;
    readonly sessions: 'refuse' | 'end';
    readonly units: readonly string[];
    readonly processes: readonly string[];
    readonly modules: 'auto' | 'keep';
    readonly timeoutMs: number;
  };
  readonly knobs: {
    readonly transparentHugepages: 'always' | 'madvise' | 'never' | null;
    readonly ksm: boolean | null;
    readonly rtRuntimeUs: number | null;
    readonly nmiWatchdog: boolean | null;
    readonly statIntervalS: number | null;
    readonly compactionProactiveness: number | null;
    readonly inhibitSleep: boolean;
  };
  readonly commands: {
    readonly prepareFirst: UserCommand | null;
    readonly prepareLast: UserCommand | null;
    readonly started: UserCommand | null;
    readonly stopped: UserCommand | null;
    readonly releaseFirst: UserCommand | null;
    readonly releaseLast: UserCommand | null;
  };
}
