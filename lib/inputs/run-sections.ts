/**
 * Sections and keys that only guests without libvirt use (`passqemu run`). The hook knows no more of them than their names: what
 * may stand in them is in run-keys.ts, which the hook never loads. "once" is a section of its name, "each" one for every label
 * (`[disk system]`), "words" has keys of the user's own whose values are command line words.
 */
export const RUN_SECTIONS: Readonly<Record<string, 'once' | 'each' | 'words'>> = {
  machine: 'once',
  smbios: 'once',
  firmware: 'once',
  numa: 'each',
  disk: 'each',
  network: 'each',
  device: 'each',
  usb: 'each',
  input: 'each',
  display: 'once',
  'looking-glass': 'once',
  audio: 'once',
  tpm: 'once',
  share: 'each',
  serial: 'once',
  agent: 'once',
  'fw-cfg': 'each',
  arguments: 'words',
};

/** Keys of [cpu] that place the threads of a QEMU of ours; libvirt has its own words for that. */
export const RUN_CPU_KEYS: readonly string[] = [
  'pins',
  'emulator',
  'iothreads',
  'real-time',
  'real-time-priority',
  'whole-process',
];

/** A section of a guest without libvirt: "disk system" is of the kind disk and has the label system. */
export interface RunSection {
  readonly kind: string;
  readonly label: string | null;
}

/** What section a name is, or null where it is none of these; a label that is missing or odd is a section without one. */
export function runSection(name: string): RunSection | null {
  const space = name.indexOf(' ');
  const kind = space < 0 ? name : name.slice(0, space);
  if (!Object.hasOwn(RUN_SECTIONS, kind)) return null;
  return { kind, label: space < 0 ? null : name.slice(space + 1) };
}
