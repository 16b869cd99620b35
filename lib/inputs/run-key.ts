import type { CpuSet } from '../words/cpu-list.ts';
import type { ValueKind, ValueOfKind } from './profile-keys.ts';

/** What a value of each further kind becomes. */
export interface RunValueOfKind extends ValueOfKind {
  /** Any text that can be seen. */
  readonly text: string;
  /** An absolute path. */
  readonly path: string;
  /** Words with spaces between; quotes as in a shell. */
  readonly words: readonly string[];
  readonly mac: string;
  readonly uuid: string;
  /** Four hexadecimal digits, in lower case. */
  readonly id: string;
  /** A set of CPUs for each vCPU, in their order. */
  readonly pins: readonly CpuSet[];
  /** A set of CPUs for each iothread, by its name. */
  readonly 'named-pins': readonly { readonly name: string; readonly cpus: CpuSet }[];
  readonly resolution: { readonly width: number; readonly height: number };
  readonly 'usb-id': { readonly vendorId: string; readonly productId: string };
  /** A port as the kernel names it: bus 1, port "2.3" for 1-2.3. */
  readonly 'usb-port': { readonly bus: number; readonly port: string };
  readonly forwards: readonly PortForward[];
}
export type RunValueKind = keyof RunValueOfKind;

/** A port of the host that leads to one of the guest ("tcp:127.0.0.1:2222:22"). */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** One key of a section of a guest without libvirt; the fields are those of ProfileKey. */
export interface RunKey {
  readonly kind: RunValueKind;
  readonly default: string | null;
  readonly help: string;
  readonly choices?: readonly string[];
  readonly range?: readonly [number, number];
}

/** The type of a key's value; null where it may say nothing. */
export type RunValueOf<Key extends RunKey> =
  | (Key extends { readonly choices: readonly (infer Choice)[] } ? Choice : RunValueOfKind[Key['kind']])
  | (Key['default'] extends null ? null : never);

/** How a value of the key is written, for help and manual. */
export const RUN_SYNTAX: Readonly<Record<Exclude<RunValueKind, ValueKind>, string>> = {
  text: 'TEXT',
  path: 'PATH',
  words: 'WORDS',
  mac: 'MAC',
  uuid: 'UUID',
  id: 'ID',
  pins: 'CPUS CPUS…',
  'named-pins': 'NAME:CPUS…',
  resolution: 'WIDTHxHEIGHT',
  'usb-id': 'VENDOR:PRODUCT',
  'usb-port': 'BUS-PORT',
  forwards: 'PROTOCOL:PORT:PORT…',
};

/** A key that is yes or no; null as default: what is usual for the rest of the profile. */
export function yesNo<const D extends 'yes' | 'no' | null>(byDefault: D, help: string) {
  return { kind: 'yes-no', default: byDefault, help } as const;
}

/** A key that is one of some words. */
export function choice<const C extends readonly string[], const D extends string | null>(
  choices: C,
  byDefault: D,
  help: string,
) {
  return { kind: 'choice', choices, default: byDefault, help } as const;
}

/** A key that is a whole number within a range. */
export function whole<const D extends string | null>(
  least: number,
  most: number,
  byDefault: D,
  help: string,
) {
  return { kind: 'integer', range: [least, most] as [number, number], default: byDefault, help } as const;
}

/** A key of a kind that needs no more than that, without a default. */
export function plain<const K extends RunValueKind>(kind: K, help: string) {
  return { kind, default: null, help } as const;
}

/** A key that is a size, in KiB. */
export function size(least: number, most: number, help: string) {
  return { kind: 'size', range: [least, most] as [number, number], default: null, help } as const;
}
