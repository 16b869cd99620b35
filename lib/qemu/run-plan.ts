import type { CpuSet } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';

/** How a guest without libvirt is run, as data; `planRun` makes it, the launcher carries it out. */
export interface RunPlan {
  readonly guest: string;
  readonly uuid: string;
  /** QEMU and its arguments; without the words that put it into its scope, its monitors and -S, which the launcher adds. */
  readonly argv: readonly string[];
  /** Variables that QEMU needs beside a bare environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files to be opened for QEMU, under exactly these numbers (`fd=` in argv). */
  readonly descriptors: readonly RunDescriptor[];
  /** Programs that must be there before QEMU, in this order. */
  readonly sidecars: readonly Sidecar[];
  /** What must be there before the sidecars and QEMU start. */
  readonly prepare: RunPreparation;
  readonly threads: RunThreads;
  readonly sockets: RunSockets;
  /** The user that QEMU runs as, by -run-with or -runas in argv; null: whoever starts it. */
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number } | null;
  /** How much memory QEMU may have to lock, in KiB, for RLIMIT_MEMLOCK; 0 where nothing is locked. */
  readonly lockedKib: number;
  /** Functions of the host that the guest has, with the id of each in QEMU (device_del, query-pci's qdev_id). */
  readonly functions: readonly { readonly address: PciAddress; readonly id: string }[];
  /** What a person should know, such as a template of variables that has changed. */
  readonly notes: readonly string[];
}

/** A file that QEMU gets open. */
export interface RunDescriptor {
  readonly fd: number;
  readonly path: string;
  readonly access: 'read' | 'read-write';
}

/** A program beside QEMU: it listens on `socket`, QEMU connects to it; it ends when QEMU has gone, else by SIGTERM. */
export interface Sidecar {
  readonly name: string;
  readonly argv: readonly string[];
  readonly socket: string;
  /** Whether it runs as the plan's user too. */
  readonly asUser: boolean;
}

/** Files and folders; all belong to the plan's user (or whoever starts QEMU), folders are 0700, files 0600. */
export interface RunPreparation {
  /** Folders that are made where they are not there yet. */
  readonly folders: readonly string[];
  /**
   * The guest's own firmware variables: copied from the template only where `to` is not there, and then `record` written beside it;
   * never written otherwise.
   */
  readonly variables: {
    readonly from: string;
    readonly to: string;
    readonly record: { readonly path: string; readonly text: string };
  } | null;
  /** Programs that make something once, each only where `unless` is not there (swtpm_setup). */
  readonly once: readonly { readonly argv: readonly string[]; readonly unless: string }[];
  /** Files made anew with that size where they are not there or smaller (the shared memory of Looking Glass). */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}

/** Where threads run. vCPUs are known by their index, iothreads by `id` (query-cpus-fast, query-iothreads). */
export interface RunThreads {
  /** Null for vCPUs that nobody placed. */
  readonly vcpus: readonly (CpuSet | null)[];
  readonly iothreads: readonly { readonly id: string; readonly cpus: CpuSet }[];
  /** All other threads; null: left alone. */
  readonly emulator: CpuSet | null;
  /** The vCPUs' scheduling. */
  readonly realTime: { readonly policy: 'fifo' | 'round-robin'; readonly priority: number } | null;
  /** The simple form: all of QEMU under chrt and taskset; then all of the above says nothing. */
  readonly wholeProcess: CpuSet | null;
}

/** Sockets that QEMU listens on; null where there is none. */
export interface RunSockets {
  readonly agent: string | null;
  readonly serial: string | null;
  readonly display: string | null;
}
