import { hiddenSignAt, visible } from '../inputs/parsed.ts';
import { PROFILE_SECTIONS, profileKey } from '../inputs/profile-keys.ts';
import { formatProfileValue } from '../inputs/profile-writer.ts';
import { RUN_SECTIONS, runSection } from '../inputs/run-sections.ts';
import type { DropList } from './dropped.ts';
import { defaultOf } from './profile-source.ts';

interface DraftLine {
  readonly key: string;
  readonly value: string;
  readonly comment: string | null;
}

/** A profile in the making: values by section and key, with comments for whoever opens the file. */
export class ProfileDraft {
  readonly #sections = new Map<string, DraftLine[]>();

  readonly #dropList: DropList;

  constructor(dropList: DropList) {
    this.#dropList = dropList;
  }

  /** Sets a key, unless it is null or what the key means anyway; a text that no profile can hold is dropped, and told. */
  put(
    section: string,
    key: string,
    value: string | number | null,
    usual: string | null = defaultOf(section, key),
  ): void {
    if (value !== null && String(value) !== usual) this.set(section, key, String(value));
  }

  /** The same for yes or no. */
  putYes(section: string, key: string, value: boolean, usual: boolean | null = null): void {
    this.put(
      section,
      key,
      value ? 'yes' : 'no',
      usual === null ? defaultOf(section, key) : usual ? 'yes' : 'no',
    );
  }

  /** Sets a key whatever its default. The text is plain, quotes are put around it where the file needs them. */
  set(section: string, key: string, value: string, comment: string | null = null): void {
    if (value.trim() !== value || value === '' || hiddenSignAt(value) >= 0) {
      this.#dropList.add(
        `[${section}] ${key}`,
        `no profile can hold the text ${JSON.stringify(value.slice(0, 60))}`,
      );
      return;
    }
    const lines = this.#sections.get(section) ?? [];
    this.#sections.set(section, [...lines.filter((line) => line.key !== key), { key, value, comment }]);
  }

  get(section: string, key: string): string | null {
    return this.#sections.get(section)?.find((line) => line.key === key)?.value ?? null;
  }

  keys(section: string): readonly string[] {
    return this.#sections.get(section)?.map(({ key }) => key) ?? [];
  }

  /** Takes a key out again, or (null) a whole section; whether it was there. */
  remove(section: string, key: string | null): boolean {
    const lines = this.#sections.get(section) ?? [];
    const left = key === null ? [] : lines.filter((line) => line.key !== key);
    if (left.length === 0) this.#sections.delete(section);
    else this.#sections.set(section, left);
    return left.length < lines.length;
  }

  /** A label that is free: for [devices] among its keys ("gpu", "gpu-2"), else among the sections of that kind. */
  freeLabel(section: string, kind: string): string {
    const labels = [...this.#sections.keys()].map(runSection).filter((one) => one?.kind === section);
    const keys = this.#sections.get(section)?.map(({ key }) => key) ?? [];
    const taken = new Set([...keys, ...labels.map((one) => one?.label)]);
    for (let count = 1; ; count++) {
      const label = count === 1 ? kind : `${kind}-${count}`;
      if (!taken.has(label)) return label;
    }
  }

  /** The text of the profile; sections in the order of the manual, keys in the order in which they came. */
  format(comments: readonly string[]): string {
    const order = [...Object.keys(PROFILE_SECTIONS), ...Object.keys(RUN_SECTIONS)];
    const rank = (section: string) => order.indexOf(runSection(section)?.kind ?? section);
    const sections = [...this.#sections].sort(([a], [b]) => rank(a) - rank(b));
    const lines = comments.map(comment);
    for (const [section, entries] of sections) {
      lines.push('', `[${section}]`);
      for (const { key, value, comment: about } of entries) {
        if (about !== null) lines.push(comment(about));
        const isCommand = section === 'arguments' || profileKey(section, key)?.kind === 'command';
        lines.push(`${key} = ${isCommand ? value : formatProfileValue(value)}`);
      }
    }
    return `${lines.join('\n')}\n`;
  }
}

/** Text of a stranger's cannot end the line and become a key. */
function comment(text: string): string {
  return `# ${visible(text)}`.trimEnd();
}
