import type { RunKey, RunValueOf } from './run-key.ts';
import { RUN_MACHINE_KEYS } from './run-keys-machine.ts';
import { RUN_PERIPHERAL_KEYS } from './run-keys-peripherals.ts';
import { RUN_STORAGE_KEYS } from './run-keys-storage.ts';

/** What the sections of a guest without libvirt are for, in the order of the manual. */
export const RUN_SECTION_HELP = {
  machine: 'The machine that the guest sees, and how QEMU runs.',
  smbios: 'What the guest reads of its maker, board and BIOS.',
  firmware:
    'What the guest boots by. Images are found by the descriptors that distributions install (firmware.json of QEMU).',
  numa: 'One memory node of the guest, [numa 0] the first; without such sections, one for each node of [memory] nodes.',
  cpu: 'More keys of [cpu]: on which CPUs the threads of QEMU run. Only guests without libvirt use them.',
  disk: 'One disk or CD drive, [disk system] say.',
  network: 'One network card.',
  device:
    'How the guest sees the function that [devices] has by the same label; or, with mdev or sysfs-device, a mediated one.',
  usb: 'One USB device of the host, by its ids or by its port.',
  input: 'One keyboard, mouse or tablet.',
  display: 'What shows the guest’s screen.',
  'looking-glass': 'Memory that the guest’s screen is copied to (IVSHMEM), for the Looking Glass client.',
  audio: 'The guest’s sound card, and where it is heard.',
  tpm: 'The guest’s TPM 2.0.',
  share: 'One folder of the host that the guest can mount (virtiofs).',
  serial: 'The guest’s first serial port.',
  agent: 'The channel of the QEMU guest agent.',
  'fw-cfg': 'One blob that the guest’s firmware or kernel can read.',
  arguments: 'More arguments for QEMU: a label of your own for each, in their order, behind all others.',
} as const;
export type RunSectionKind = keyof typeof RUN_SECTION_HELP;

/** Every key of every section, by section and key. [arguments] has labels of the user's own. */
export const RUN_KEYS = {
  ...RUN_MACHINE_KEYS,
  ...RUN_STORAGE_KEYS,
  ...RUN_PERIPHERAL_KEYS,
} as const satisfies Readonly<Record<string, Readonly<Record<string, RunKey>>>>;
export type RunKeyedSection = keyof typeof RUN_KEYS;

/** "boot-menu" as a field of ours: bootMenu. */
export type Camel<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

/** The values of one section, by their keys in camel case. */
export type RunValues<Section extends RunKeyedSection> = {
  readonly [Key in keyof (typeof RUN_KEYS)[Section] as Camel<
    Key & string
  >]: (typeof RUN_KEYS)[Section][Key] extends RunKey ? RunValueOf<(typeof RUN_KEYS)[Section][Key]> : never;
};

/** The key of that name, or null. */
export function runKey(section: string, key: string): RunKey | null {
  if (!Object.hasOwn(RUN_KEYS, section)) return null;
  const keys: Readonly<Record<string, RunKey>> = RUN_KEYS[section as RunKeyedSection];
  return Object.hasOwn(keys, key) ? keys[key]! : null;
}

/** "boot-menu" → "bootMenu". */
export function camelName(key: string): string {
  return key.replace(/-([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
