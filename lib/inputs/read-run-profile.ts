import { ProfileError, type ProfileProblem } from '../words/errors.ts';
import { nearestName } from '../words/nearest-name.ts';
import { parseArgvWords } from './argv-words.ts';
import { checkRunProfile } from './check-run-profile.ts';
import { isProblem } from './parsed.ts';
import type { Profile } from './profile.ts';
import { problemsError } from './profile-problems.ts';
import { type ProfileEntry, parseProfileText } from './profile-text.ts';
import { parseProfile } from './read-profile.ts';
import type { RunKey } from './run-key.ts';
import { camelName, RUN_KEYS, type RunKeyedSection, type RunValues, runKey } from './run-keys.ts';
import type { Labelled, RunProfile, WholeProfile } from './run-profile.ts';
import { RUN_CPU_KEYS, runSection } from './run-sections.ts';
import { parseRunValue } from './run-values.ts';

/** Reads the text of a profile of a guest without libvirt, or throws one ProfileError with everything that is wrong with it. */
export function parseRunProfile(text: string, context: { guest: string; path: string }): WholeProfile {
  const { host, problems } = hostHalf(text, context);
  const { entries, sections } = parseProfileText(text);
  const reader = new RunReader(entries, sections);
  const run = runProfileOf(context.guest, reader);
  if (problems.length === 0 && reader.problems.length === 0) checkRunProfile(run, host!, reader.addOf);
  const all = [...problems, ...reader.problems];
  if (all.length > 0) throw problemsError(context, all);
  const describesGuest = [...sections.keys()].some((name) => runSection(name) !== null);
  return { host: host!, run, describesGuest };
}

function hostHalf(
  text: string,
  context: { guest: string; path: string },
): { host: Profile | null; problems: readonly ProfileProblem[] } {
  try {
    return { host: parseProfile(text, context), problems: [] };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return { host: null, problems: error.problems };
  }
}

function runProfileOf(guest: string, reader: RunReader): RunProfile {
  reader.refuseUnknown();
  return {
    guest,
    machine: reader.once('machine'),
    smbios: reader.once('smbios'),
    firmware: reader.once('firmware'),
    threads: reader.once('cpu'),
    numa: reader.each('numa'),
    disks: reader.each('disk'),
    networks: reader.each('network'),
    devices: reader.each('device'),
    usb: reader.each('usb'),
    inputs: reader.each('input'),
    shares: reader.each('share'),
    fwCfg: reader.each('fw-cfg'),
    display: reader.once('display'),
    lookingGlass: reader.has('looking-glass') ? reader.once('looking-glass') : null,
    audio: reader.once('audio'),
    tpm: reader.once('tpm'),
    serial: reader.once('serial'),
    agent: reader.once('agent'),
    arguments: reader.arguments(),
  };
}

/** Turns entries into values by the tables of keys, collecting what is wrong with them. */
class RunReader {
  readonly problems: ProfileProblem[] = [];
  readonly #entries: ReadonlyMap<string, ProfileEntry>;
  readonly #sections: ReadonlyMap<string, number>;

  constructor(entries: ReadonlyMap<string, ProfileEntry>, sections: ReadonlyMap<string, number>) {
    this.#entries = entries;
    this.#sections = sections;
  }

  has(section: string): boolean {
    return this.#sections.has(section);
  }

  once<S extends RunKeyedSection>(section: S): RunValues<S> {
    return this.#values(section, section);
  }

  /** In the order of the profile. */
  each<S extends RunKeyedSection>(kind: S): Labelled<S>[] {
    return [...this.#sections.keys()].flatMap((name) => {
      const section = runSection(name);
      if (section?.kind !== kind || section.label === null) return [];
      return [{ ...this.#values(kind, name), label: section.label } as Labelled<S>];
    });
  }

  arguments(): { label: string; words: readonly string[] }[] {
    return [...this.#entries.values()].flatMap(({ section, key, value }) => {
      if (section !== 'arguments' || value === null) return [];
      const words = parseArgvWords(value);
      if (!isProblem(words)) return [{ label: key, words: words.value }];
      this.addOf(section, key, words.problem, words.hint);
      return [];
    });
  }

  refuseUnknown(): void {
    for (const { section, key } of this.#entries.values()) {
      const kind = runSection(section)?.kind ?? null;
      if (kind === null || kind === 'arguments' || runKey(kind, key) !== null) continue;
      const known = Object.keys(RUN_KEYS[kind as RunKeyedSection]);
      const near = nearestName(key, known);
      if (near === null)
        this.addOf(section, key, 'is not a known key', `The keys of [${kind}] are ${known.join(', ')}`);
      else this.addOf(section, key, `is not a known key, the nearest is ${near}`);
    }
  }

  readonly addOf = (section: string, key: string | null, what: string, hint?: string): void => {
    const line =
      (key === null ? null : this.#entries.get(`${section}.${key}`)?.line) ??
      this.#sections.get(section) ??
      null;
    this.problems.push({ line, section, key, what, hint: hint ?? null });
  };

  #values<S extends RunKeyedSection>(kind: S, section: string): RunValues<S> {
    const keys: Readonly<Record<string, RunKey>> = RUN_KEYS[kind];
    const names = kind === 'cpu' ? RUN_CPU_KEYS : Object.keys(keys);
    return Object.fromEntries(
      names.map((name) => [camelName(name), this.#value(section, name, keys[name]!)]),
    ) as RunValues<S>;
  }

  #value(section: string, name: string, key: RunKey): unknown {
    const text = this.#entries.get(`${section}.${name}`)?.value ?? key.default;
    if (text === null) return null;
    const parsed = parseRunValue(key, text);
    if (!isProblem(parsed)) return parsed.value;
    this.addOf(section, name, parsed.problem, parsed.hint);
    return null;
  }
}
