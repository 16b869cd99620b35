import { PROFILE_KEYS } from '../inputs/profile-keys.ts';
import { type ProfileEntry, parseProfileText } from '../inputs/profile-text.ts';
import { runKey } from '../inputs/run-keys.ts';
import { runSection } from '../inputs/run-sections.ts';
import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import { parseSizeKib } from '../words/size.ts';

/**
 * The keys that a profile sets, for writers of other forms. It keeps account of what was asked for, so that the rest can be
 * told; the profile must have been checked, its texts are taken as they are.
 */
export class ProfileSource {
  readonly #entries: ReadonlyMap<string, ProfileEntry>;
  readonly #read = new Set<string>();

  constructor(text: string) {
    this.#entries = parseProfileText(text).entries;
  }

  /** A key's text as it stands, or null; it counts as carried from now on. */
  said(section: string, key: string): string | null {
    const name = `${section}.${key}`;
    this.#read.add(name);
    return this.#entries.get(name)?.value ?? null;
  }

  /** Looks at a key that somebody else carries. */
  peek(section: string, key: string): string | null {
    return this.#entries.get(`${section}.${key}`)?.value ?? null;
  }

  /** A key's text, else its default. */
  text(section: string, key: string): string | null {
    return this.said(section, key) ?? defaultOf(section, key);
  }

  /** A key that is yes or no; `usual` where neither the profile nor the table of keys says. */
  yes(section: string, key: string, usual: boolean = false): boolean {
    const text = this.text(section, key);
    return text === null ? usual : text === 'yes';
  }

  number(section: string, key: string): number | null {
    const text = this.text(section, key);
    return text === null ? null : Number(text);
  }

  kib(section: string, key: string): number | null {
    return parseSizeKib(this.text(section, key) ?? '');
  }

  cpus(section: string, key: string): CpuSet | null {
    const text = this.text(section, key);
    return text === null ? null : parseCpuList(text);
  }

  /** The sections of a kind that has labels, in their order: "disk system", "disk data". */
  sections(kind: string): readonly string[] {
    const names = [...this.#entries.values()].map(({ section }) => section);
    return [...new Set(names)].filter((name) => runSection(name)?.kind === kind);
  }

  /** The keys of a section, in their order. */
  keys(section: string): readonly string[] {
    return [...this.#entries.values()].filter((entry) => entry.section === section).map(({ key }) => key);
  }

  /** What nobody has asked for. */
  unread(): readonly ProfileEntry[] {
    return [...this.#entries].filter(([name]) => !this.#read.has(name)).map(([, entry]) => entry);
  }
}

/** What a key that is not set means, as its table of keys has it, or null. */
export function defaultOf(section: string, key: string): string | null {
  const name = `${section}.${key}`;
  if (Object.hasOwn(PROFILE_KEYS, name)) return PROFILE_KEYS[name as keyof typeof PROFILE_KEYS].default;
  return runKey(runSection(section)?.kind ?? section, key)?.default ?? null;
}

/** The label of a section such as "disk system". */
export function labelOf(section: string): string {
  return runSection(section)?.label ?? section;
}
