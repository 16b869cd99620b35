import { hiddenSignAt, quoted, visible } from '../../inputs/parsed.ts';
import { DomainError } from '../../words/errors.ts';
import type { DropList } from '../dropped.ts';

/** A configuration of a virtual machine is some kilobytes; what is larger is something else. */
export const LARGEST_CONF_BYTES = 1024 * 1024;

/**
 * The keys of a Proxmox VE configuration (/etc/pve/qemu-server/VMID.conf, qm.conf(5)): "key: value" lines. It keeps account of what
 * was taken, so that the rest can be told. Snapshots and pending changes, which have sections of their own, are dropped as a whole.
 */
export class ProxmoxConf {
  readonly #values = new Map<string, string>();
  readonly #dropList: DropList;
  /** The lines of the description, which Proxmox keeps as comments. */
  readonly description: readonly string[];

  constructor(text: string, dropList: DropList) {
    this.#dropList = dropList;
    if (text.length > LARGEST_CONF_BYTES) throw problem('it is larger than 1 MiB');
    const description: string[] = [];
    let section: string | null = null;
    for (const [index, raw] of text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .entries()) {
      const line = index + 1;
      const heading = /^\[([^\]]*)\]\s*$/.exec(raw);
      if (heading !== null) {
        section = heading[1]!;
        const why =
          section === 'PENDING'
            ? 'these changes wait for the next start'
            : 'a snapshot or other section, not the machine as it is now';
        dropList.add(`[${visible(section)}]`, why);
      } else if (section === null && raw.startsWith('#')) {
        description.push(decoded(raw.slice(1)));
      } else if (section === null && raw.trim() !== '') {
        const match = /^([a-z][a-z_-]*\d*):\s*(.*?)\s*$/.exec(raw);
        if (match === null || hiddenSignAt(raw) >= 0)
          throw problem(`line ${line} is ${quoted(raw.trim())}, must be like "memory: 8192"`);
        const [, key = '', value = ''] = match;
        if (this.#values.has(key))
          throw problem(`line ${line}, ${key} is there a second time, must be there once`);
        this.#values.set(key, value);
      }
    }
    this.description = description;
    if (this.#values.size === 0) throw problem('it has no "key: value" line');
  }

  /** A key's text, or null; it counts as read. */
  take(key: string): string | null {
    const value = this.#values.get(key) ?? null;
    this.#values.delete(key);
    return value;
  }

  /** A key's value as a set of properties: "local:iso/a.iso,media=cdrom" with `first` as the name of the one without a name. */
  takeProperties(key: string, first: string): ProxmoxProperties | null {
    const text = this.take(key);
    return text === null ? null : new ProxmoxProperties(key, text, first, this.#dropList);
  }

  /** All keys "name0" to "name99" in the order of their numbers. */
  takeNumbered(name: string, first: string): ProxmoxProperties[] {
    const numbered = [...this.#values.keys()].filter(
      (key) => key.startsWith(name) && /^\d{1,3}$/.test(key.slice(name.length)),
    );
    return numbered
      .sort((a, b) => Number(a.slice(name.length)) - Number(b.slice(name.length)))
      .map((key) => this.takeProperties(key, first)!);
  }

  /** Drops what nobody has taken. */
  dropRest(why: (key: string) => string): void {
    for (const [key, value] of this.#values)
      this.#dropList.add(`${key}: ${visible(value.slice(0, 80))}`, why(key));
  }
}

/** One value with named parts, such as that of hostpci0; keeps account, too. */
export class ProxmoxProperties {
  readonly key: string;
  readonly #values = new Map<string, string>();
  readonly #dropList: DropList;

  constructor(key: string, text: string, first: string, dropList: DropList) {
    this.key = key;
    this.#dropList = dropList;
    for (const part of text.split(',')) {
      if (part.trim() === '') continue;
      const equals = part.indexOf('=');
      const name = equals < 0 ? first : part.slice(0, equals).trim();
      if (this.#values.has(name)) throw problem(`${key} has ${quoted(name)} a second time`);
      this.#values.set(name, part.slice(equals + 1).trim());
    }
  }

  /** The number of "net0", or 0. */
  get number(): number {
    return Number(/\d+$/.exec(this.key)?.[0] ?? 0);
  }

  take(name: string): string | null {
    const value = this.#values.get(name) ?? null;
    this.#values.delete(name);
    return value;
  }

  /** A switch, as Proxmox writes it: 1, 0, on, off, yes, no, true, false. */
  takeSwitch(name: string, ifAbsent: boolean): boolean {
    const text = this.take(name)?.toLowerCase() ?? null;
    if (text === null) return ifAbsent;
    if (/^(1|on|yes|true)$/.test(text)) return true;
    if (/^(0|off|no|false)$/.test(text)) return false;
    throw problem(`${this.key} has ${name}=${quoted(text)}, must be 1 or 0`);
  }

  /** The names that nobody has taken yet. */
  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  drop(name: string, why: string): void {
    const value = this.take(name);
    if (value !== null) this.#dropList.add(`${this.key}, ${name}=${visible(value.slice(0, 80))}`, why);
  }

  dropRest(why: (name: string) => string): void {
    for (const name of this.names()) this.drop(name, why(name));
  }
}

function problem(what: string): DomainError {
  return new DomainError(`Cannot read the Proxmox configuration: ${what}`);
}

/** The description is percent-encoded; what is not stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
