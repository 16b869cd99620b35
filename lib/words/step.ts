import type { PciAddress } from './pci-address.ts';

/**
 * The kinds of change we make, each with what it is asked to do (`step`), what undo needs to know, read from the very
 * files that will be written (`was`), and what came of it where that is not certain beforehand (`got`).
 * All of it is plain JSON: it goes into the plan that people see and into the journal that another process undoes from.
 */
export interface StepKinds {
  /** Holds off sleep while the guest has the devices. `token` finds our inhibitor again in /proc. */
  inhibit: { step: { token: string }; was: null; got: null };
  /** Loads a kernel module; never unloaded again (others may have come to use it). */
  module: { step: { name: string }; was: { loaded: boolean }; got: null };
  /** Adds pages to a node's pool: at least `pages` must be free for this guest afterwards. */
  hugepages: {
    step: {
      sizeKib: number;
      node: number;
      pages: number;
      waitMs: number;
      compact: boolean;
      dropCaches: boolean;
    };
    /** Lasting pages (without surplus ones), and surplus pages, which growing the pool turns into lasting ones. */
    was: { pool: number; surplus: number };
    /** `leaving`: an undo has begun, so the guest claims no pages any more and only has some to give back. */
    got: { added: number; leaving?: true };
  };
  /** Binds one PCI function to `driver`; null parks it without one. */
  driver: {
    /** `awake`: kept out of D3 while the guest has it; `resetMethod`: the ways to reset it, in order, as reset_method takes them. */
    step: {
      address: PciAddress;
      driver: string | null;
      deadlineMs: number;
      awake?: true;
      resetMethod?: string;
      /** Sizes in MiB by BAR, set while no driver has the function. */
      barSizes?: Readonly<Record<string, number>>;
    };
    was: {
      driver: string | null;
      override: string;
      powerControl: string | null;
      d3coldAllowed: string | null;
      resetMethod: string | null;
      /** Of the BARs that the step sizes, as they were. */
      barSizes?: Readonly<Record<string, number>>;
    };
    got: null;
  };
  /**
   * Holds on to which tasks are pinned to CPUs: kernels before 6.2 forget it whenever a cpuset changes, every kernel does for
   * its own threads when a partition takes CPUs from the root. `remember` comes before the steps that change cpusets, and its
   * undo pins again what is loose; `mend` comes after them. `scope`: tasks in cgroups below the root, or all.
   */
  affinities: {
    step: { role: 'remember' | 'mend'; scope: 'cgroups' | 'all' };
    /** CPU list by "task:startTicks", and the cpufreq policies whose governor has a kernel thread bound to their CPUs. */
    was: { tasks: Readonly<Record<string, string>>; boundPolicies: readonly string[] };
    got: null;
  };
  /** Narrows a systemd unit to the host's CPUs: its base minus the CPUs of all guests. */
  slice: {
    step: { unit: string; guestCpus: string };
    /** systemd's own setting ("" for none), the CPUs it could use, all that were online, and our drop-in file as it was. */
    was: { allowed: string; effective: string; online: string; dropIn: string | null };
    /** `certain`: the call to systemd has ended; else one of a killed process may still be on its way. */
    got: { certain: boolean };
  };
  /** Without systemd: a cpuset partition for the guests' CPUs on cgroup v2. */
  partition: {
    step: { cgroup: string; guestCpus: string };
    /** The cgroup's own files, and cgroup.subtree_control of the root. */
    was: { existed: boolean; cpus: string; partition: string; controllers: string };
    got: null;
  };
  /** Moves interrupts off the guests' CPUs. */
  irqs: {
    step: { guestCpus: string };
    /**
     * `affinities` by IRQ number, with the names of its actions to know it again. `untouched`: interrupts that were off the
     * guest's CPUs already.
     */
    was: {
      defaultMask: string;
      affinities: Readonly<Record<string, { actions: string; list: string }>>;
      untouched: readonly number[];
    };
    /** Numbers of interrupts that the kernel would not move. */
    got: { refused: readonly string[] };
  };
  /** Moves the unbound workqueues off the guests' CPUs. */
  workqueues: { step: { guestCpus: string }; was: { mask: string }; got: null };
  /** Sets a cpufreq policy's governor and, where wanted and possible, its energy preference. `cpus`: those of the guest in it. */
  governor: {
    step: { policy: string; cpus: string; governor: string | null; energy: string | null };
    was: { governor: string | null; energy: string | null };
    /** What the preference reads after being set: "default" and numbers read as something else. */
    got: { energy: string | null } | null;
  };
  /** Sets one value in one file of /proc/sys or /sys, held while any guest holds it. */
  setting: { step: { path: string; value: string; label: string }; was: { value: string }; got: null };
  /**
   * Stops a unit of systemd while the guest runs. `user`: whose own manager has it, null for the system's; `restart`: whether
   * it is started again; `cgroup`: where its processes are; `sockets`: units that go with it, because they would start it;
   * `containers`: cgroups of what must have ended with it; `functions`: cards without which it can show nothing. `triggers`: what else ran then and would start it.
   */
  unit: {
    step: {
      unit: string;
      user: string | null;
      cgroup: string;
      restart: boolean;
      timeoutMs: number;
      sockets?: readonly string[];
      containers?: readonly string[];
      functions?: readonly PciAddress[];
    };
    was: { running: boolean; triggers?: readonly string[] };
    /** `certain`: the call to systemd has ended; else one of a killed process may still be on its way. */
    got: { certain: boolean };
  };
  /** A timer of systemd that runs `argv` when nobody has stopped it by then: it gives back what a dead passqemu holds. */
  watchdog: {
    step: { unit: string; argv: readonly string[]; afterSeconds: number };
    was: null;
    /** How often the display could not be given back. */
    got: { failed: number };
  };
  /** Ends somebody's login session; it does not come back. */
  session: { step: { id: string; user: string; cgroup: string; timeoutMs: number }; was: null; got: null };
  /** Ends one process that has a device open; it does not come back. */
  process: {
    step: { pid: number; startTicks: number; comm: string; timeoutMs: number };
    was: null;
    got: null;
  };
  /** Takes the text consoles off a console driver, found by its name: numbers change. */
  console: {
    step: { name: string; functions: readonly PciAddress[]; deadlineMs: number };
    was: { bound: boolean };
    got: null;
  };
  /** Takes the firmware's frame buffer (a platform device) from its driver. */
  framebuffer: {
    step: { device: string; driver: string; functions: readonly PciAddress[]; deadlineMs: number };
    was: { bound: boolean };
    got: null;
  };
  /** Unloads a module, which fails at once where it is in use; loaded again with the parameters it had. */
  unload: {
    step: { name: string; functions: readonly PciAddress[]; timeoutMs: number };
    /** `drivers` by function: what the module had bound. */
    was: {
      loaded: boolean;
      parameters: Readonly<Record<string, string>>;
      drivers: Readonly<Record<string, string | null>>;
    };
    got: { certain: boolean };
  };
  /**
   * Gives a device node (devtmpfs, gone with the boot) to the user that a guest's QEMU runs as; the device's own node, so
   * nobody else gains by it.
   */
  node: {
    step: { path: string; uid: number; gid: number };
    /** `rdev`: which device it was, major:minor. */
    was: { uid: number; gid: number; rdev: string };
    got: null;
  };
  /** Runs a command of the user's on the way in, and another on the way out; either may be absent (an empty `argv`, null). */
  command: {
    step: {
      name: string;
      argv: readonly string[];
      timeoutMs: number;
      undoArgv: readonly string[] | null;
      undoTimeoutMs: number;
    };
    was: null;
    /** How often the command on the way out has failed. */
    got: { failed: number };
  };
}

export type KindName = keyof StepKinds;
export type Memory<K extends KindName> = StepKinds[K]['was'];
export type Outcome<K extends KindName> = StepKinds[K]['got'];

/** What a reader of the plan sees beside the arguments: on what, what it is now, what it will be. */
export interface StepFace {
  readonly target: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** One step of the named kind. */
export type StepOf<K extends KindName> = K extends KindName
  ? { readonly kind: K } & StepFace & Readonly<StepKinds[K]['step']>
  : never;
/** Any step. */
export type Step = StepOf<KindName>;

/** A step that a guest's journal lists and that is not undone: what `claims` are derived from. */
export type HeldStepOf<K extends KindName> = K extends KindName
  ? {
      readonly guest: string;
      readonly index: number;
      readonly step: StepOf<K>;
      readonly was: Memory<K>;
      /** Absent where the writer died before it could say how the step ended. */
      readonly got?: Outcome<K>;
      /** When the entry was written, in ms. */
      readonly at: number;
    }
  : never;
export type HeldStep = HeldStepOf<KindName>;

/** What a guest's start will change, in order; `notes` tell the user what they should know (never a reason to stop). */
export interface Plan {
  readonly guest: string;
  readonly uuid: string | null;
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

/** The held steps of one kind. */
export function heldOf<K extends KindName>(held: readonly HeldStep[], kind: K): readonly HeldStepOf<K>[] {
  return held.filter((entry) => entry.step.kind === kind) as unknown as readonly HeldStepOf<K>[];
}
