import type { ProfileProblem } from '../words/errors.ts';
import { isSection } from './profile-keys.ts';
import { type ProfileEntry, unknownKey, unknownSection } from './profile-text.ts';
import { RUN_CPU_KEYS, runSection } from './run-sections.ts';

/** libvirt has its own words for all of that. */
const OF_RUN: [string] = ['is in the metadata of the domain, only guests without libvirt have it'];

/** Sections that only the profile may have: commands run as root, and a hand-over ends what people have open. Whoever may define a domain need not be root. */
export const PROFILE_ONLY: readonly string[] = ['commands', 'handover'];

/** Where the value of a key comes from; metadata: our keys in the domain XML. */
export type ValueSource = 'profile' | 'metadata' | 'default';

/** The keys of the profile and of the domain's metadata as one set. */
export interface MergedEntries {
  readonly entries: ReadonlyMap<string, ProfileEntry>;
  /** By "section.key"; what is not in it is a default. */
  readonly sources: ReadonlyMap<string, ValueSource>;
  readonly problems: readonly ProfileProblem[];
}

/**
 * Adds the keys that the domain XML carries in its metadata to those of the profile; the profile wins.
 */
export function mergeMetadata(
  profile: ReadonlyMap<string, ProfileEntry>,
  metadata: ReadonlyMap<string, string>,
): MergedEntries {
  const entries = new Map(profile);
  const sources = new Map<string, ValueSource>([...profile.keys()].map((name) => [name, 'profile']));
  const problems: ProfileProblem[] = [];
  for (const [name, value] of metadata) {
    const dot = name.indexOf('.');
    const section = name.slice(0, dot);
    const key = name.slice(dot + 1);
    const problem = !isSection(section)
      ? runSection(section) === null
        ? unknownSection(section)
        : OF_RUN
      : (unknownKey(section, key) ?? (section === 'cpu' && RUN_CPU_KEYS.includes(key) ? OF_RUN : null));
    const wrong: [string, string?] | null =
      problem ??
      (PROFILE_ONLY.includes(section) ? ['is in the metadata of the domain, must be in the profile'] : null);
    if (wrong !== null) problems.push({ line: null, section, key, what: wrong[0], hint: wrong[1] ?? null });
    else if (!entries.has(name)) {
      entries.set(name, { section, key, value, line: null });
      sources.set(name, 'metadata');
    }
  }
  return { entries, sources, problems };
}
