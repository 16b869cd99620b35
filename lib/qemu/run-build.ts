import type { QemuCapabilities, RunPicture } from '../host/run-picture.ts';
import type { WholeProfile } from '../inputs/run-profile.ts';
import type { Refusal } from '../words/errors.ts';
import { option, type PropertyValue } from './option.ts';

/** Where a PCI device of the guest sits: the property pair of -device. */
export interface Place {
  readonly bus: string;
  readonly addr: string;
}

/** Slots of a bus that the board or its fixed devices have. */
const TAKEN = { q35: [0, 1, 27, 31], i440fx: [0, 1, 2] } as const;
const LAST_SLOT = { q35: 30, i440fx: 31 } as const;

/** What the parts of a command line are put together in: words, reasons against it, notes, and the slots that are free. */
export class RunBuild {
  readonly whole: WholeProfile;
  readonly picture: RunPicture;
  readonly qemu: QemuCapabilities;
  readonly words: string[] = [];
  readonly refusals: Refusal[] = [];
  readonly notes: string[] = [];
  /** Descriptors 0 to 9 are a shell's and the launcher's. */
  readonly descriptors: { fd: number; path: string; access: 'read' | 'read-write' }[] = [];
  readonly #slots: Set<number>;
  readonly #asked = new Map<number, string>();
  #sata = 0;

  constructor(whole: WholeProfile, picture: RunPicture, qemu: QemuCapabilities) {
    this.whole = whole;
    this.picture = picture;
    this.qemu = qemu;
    this.#slots = new Set(TAKEN[whole.run.machine.type]);
  }

  get run(): WholeProfile['run'] {
    return this.whole.run;
  }

  get isQ35(): boolean {
    return this.run.machine.type === 'q35';
  }

  /** Adds words as they are. */
  add(...words: readonly string[]): void {
    this.words.push(...words);
  }

  /** Adds -device, if this QEMU has it. */
  device(driver: string, properties: Readonly<Record<string, PropertyValue>> = {}): void {
    if (!this.qemu.devices.has(driver)) this.refuseLack(`the device ${driver}`);
    this.add('-device', option(driver, properties));
  }

  /** Adds -object, if this QEMU has it. */
  object(type: string, properties: Readonly<Record<string, PropertyValue>>): void {
    if (!this.qemu.objects.has(type)) this.refuseLack(`the object ${type}`);
    this.add('-object', option(type, properties));
  }

  /** This QEMU is too old, or was built without something. */
  refuseLack(what: string): void {
    const { path, version } = this.qemu;
    this.refuse(
      'qemu-lacks',
      `Cannot start ${this.run.guest}: ${path} (${version.join('.')}) does not have ${what}`,
      'Install a newer QEMU or the package with its modules, or take this out of the profile',
    );
  }

  refuse(id: string, summary: string, remedy: string | null): void {
    if (!this.refusals.some((one) => one.summary === summary)) this.refusals.push({ id, summary, remedy });
  }

  /** Keeps a slot that the profile asks for; to be called for all of them before the first place is given away. */
  reserve(slot: number | null, name: string): void {
    if (slot === null) return;
    const other = this.#asked.get(slot);
    if (this.#slots.has(slot) || other !== undefined || slot > LAST_SLOT[this.run.machine.type]) {
      this.refuse(
        'slot-taken',
        `Cannot put ${name} into slot ${slot}: ${other === undefined ? 'the board has something there' : `${other} is to be there`}`,
        'Give it another slot, or leave it out for the next free one',
      );
    }
    this.#asked.set(slot, name);
  }

  /** A place of its own: on q35 behind a root port (its words are added), on i440fx a slot of the only bus. */
  place(slot: number | null): Place {
    const at = slot ?? this.#free();
    this.#slots.add(at);
    const addr = `0x${at.toString(16)}`;
    if (!this.isQ35) return { bus: 'pci.0', addr };
    const id = `port${at}`;
    this.device('pcie-root-port', { id, bus: 'pcie.0', addr, chassis: at, slot: at });
    return { bus: id, addr: '0x0' };
  }

  /** The next port of the board's SATA controller, or of the two IDE channels of i440fx. */
  sataPort(): Readonly<Record<string, PropertyValue>> {
    const at = this.#sata++;
    const most = this.isQ35 ? 6 : 4;
    if (at === most) {
      this.refuse(
        'no-port',
        `Cannot give ${this.run.guest} more than ${most} SATA or IDE drives: the board has no more ports`,
        'Put some of them on bus scsi',
      );
    }
    return this.isQ35 ? { bus: `ide.${at}` } : { bus: `ide.${at >> 1}`, unit: at & 1 };
  }

  /** Opens a file for QEMU and gives its number. */
  descriptor(path: string): number {
    const fd = 10 + this.descriptors.length;
    this.descriptors.push({ fd, path, access: 'read-write' });
    return fd;
  }

  /** Looks whether a file of the profile is there, and is what it must be. */
  needFile(path: string, name: string, kinds: readonly string[] = ['file']): void {
    const facts = this.picture.files.get(path) ?? null;
    if (facts === null) {
      this.refuse(
        'file-missing',
        `Cannot find ${name}: there is no ${path}`,
        'Make it, or correct the path in the profile',
      );
    } else if (!kinds.includes(facts.kind)) {
      this.refuse(
        'file-kind',
        `Cannot use ${path} as ${name}: it is a ${facts.kind}, it must be a ${kinds.join(' or ')}`,
        null,
      );
    }
  }

  #free(): number {
    const last = LAST_SLOT[this.run.machine.type];
    for (let slot = 2; slot <= last; slot++)
      if (!this.#slots.has(slot) && !this.#asked.has(slot)) return slot;
    this.refuse(
      'no-slot',
      `Cannot give ${this.run.guest} so many PCI devices: the board has no more slots`,
      'Put disks on bus scsi, which needs one for all of them',
    );
    return last;
  }
}
