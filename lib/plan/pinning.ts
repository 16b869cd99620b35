import type { Topology } from '../host/topology.ts';
import type { CpuSet } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { Beside } from './pin-beside.ts';
import type { PinPlace } from './pin-places.ts';

/** What a person asks `passqemu pin` for. */
export interface PinWish {
  /** Null: as many as one L3 cache or node holds beside the host. */
  readonly vcpus: number | null;
  /** keep: a vCPU on each thread of a core; spread: one on each core, its other threads stay idle. */
  readonly smt: 'keep' | 'spread';
  /** Only cores below a cache that is rich beside others. */
  readonly largeCache: boolean;
  /** The function that the guest gets; `node` null where the machine does not tell it. */
  readonly device: { readonly address: PciAddress; readonly node: number | null } | null;
}

/** All that the planner looks at. `taken`: CPUs that other guests hold. */
export interface PinInput {
  readonly topology: Topology;
  readonly wish: PinWish;
  readonly taken: ReadonlyMap<string, CpuSet>;
}

/** A proposal: where each vCPU goes, and what runs beside. See docs/pinning.md. */
export interface Pinning extends Beside {
  /** Host CPU by the vCPU's number. */
  readonly vcpus: CpuSet;
  /** The guest's own CPUs: whole cores, also the threads that `spread` leaves idle. */
  readonly guest: CpuSet;
  /** What the host keeps. */
  readonly host: CpuSet;
  readonly place: PinPlace;
  /** NUMA nodes of the guest's CPUs; empty where the machine has none to tell. */
  readonly nodes: readonly number[];
  /** The guest's own topology that fits these pins. */
  readonly cores: number;
  readonly threads: number;
  readonly reasons: readonly string[];
}
