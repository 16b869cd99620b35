import ini from 'ini';
import type { ProfileProblem } from '../words/errors.ts';
import { nearestName } from '../words/nearest-name.ts';
import { bareCommentSign } from './argv-words.ts';
import { hiddenSignAt, isProblem, type Parsed, quoted } from './parsed.ts';
import { isSection, keysOfSection, PROFILE_SECTIONS, profileKey } from './profile-keys.ts';
import { RUN_CPU_KEYS, RUN_SECTIONS, runSection } from './run-sections.ts';

/** One "key = value" of a profile (line set) or of the domain's metadata (line null). The value is plain text, quotes and escapes done. */
export interface ProfileEntry {
  readonly section: string;
  readonly key: string;
  /** Null where the text was not to be had. */
  readonly value: string | null;
  readonly line: number | null;
}

/** What the lines of a profile say, by "section.key", and everything that is wrong with them. */
export interface ProfileText {
  readonly entries: ReadonlyMap<string, ProfileEntry>;
  /** The line of each section by its name; those without a key are there too. */
  readonly sections: ReadonlyMap<string, number>;
  readonly problems: readonly ProfileProblem[];
}

/** A profile is some twenty lines; what is larger is something else. */
export const LARGEST_PROFILE_BYTES = 256 * 1024;

/**
 * Reads the lines of a profile. Values mean what the `ini` package makes of them; whatever that package would
 * change, cut or drop without a word (a comment sign in a value, a second value for a key, `key[]`, a section with
 * dots, a line that is neither) is a problem here. Only commands are read as written: their quotes belong to argv.
 */
export function parseProfileText(text: string): ProfileText {
  const entries = new Map<string, ProfileEntry>();
  const sectionLines = new Map<string, number>();
  const problems: ProfileProblem[] = [];
  const add = (at: Partial<ProfileProblem>, what: string, hint?: string): void => {
    problems.push({ line: null, section: null, key: null, ...at, what, hint: hint ?? null });
  };
  if (text.length > LARGEST_PROFILE_BYTES || Buffer.byteLength(text) > LARGEST_PROFILE_BYTES) {
    add({}, `is larger than ${LARGEST_PROFILE_BYTES / 1024} KiB, must be a profile`);
    return { entries, sections: sectionLines, problems };
  }

  let section: string | null = null;
  let isSkipping = false;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    if (hiddenSignAt(raw) >= 0) {
      add({ line, section }, 'has a sign that cannot be seen, must be plain text', `It reads ${quoted(raw)}`);
      continue;
    }
    if (/^\s*(?:[#;].*)?$/.test(raw)) continue;

    if (/^\s*\[/.test(raw)) {
      const name: string = /^\s*\[([^\]]*)/.exec(raw)![1]!.trim();
      const isWellFormed = /^\[[^[\]]*\]\s*$/.test(raw);
      section = isSection(name) || runSection(name) !== null ? name : null;
      isSkipping = section === null;
      if (!isWellFormed) {
        add(
          { line, section },
          `${quoted(raw)} is not a section, must be like [cpu] from the first column on`,
          COMMENT_HINT,
        );
      } else if (section === null) {
        add({ line, section: name }, ...unknownSection(name));
      } else if (labelProblem(name) !== null) {
        add({ line, section: name }, ...labelProblem(name)!);
      } else if (sectionLines.has(name)) {
        add(
          { line, section },
          `is there a second time, must be there once (first in line ${sectionLines.get(name)})`,
        );
      }
      if (!sectionLines.has(name)) sectionLines.set(name, line);
      continue;
    }
    if (isSkipping) continue;

    const equals = raw.indexOf('=');
    const key = (equals < 0 ? raw : raw.slice(0, equals)).trim();
    if (equals < 0 || key === '') {
      add({ line, section }, `${quoted(raw.trim())} is neither a section nor key = value`);
      continue;
    }
    if (section === null) {
      add({ line, key }, 'stands before the first section, must stand in one', placeOf(key));
      continue;
    }
    const unknown = unknownKey(section, key);
    if (unknown !== null) {
      add({ line, section, key }, ...unknown);
      continue;
    }
    const earlier = entries.get(`${section}.${key}`);
    if (earlier !== undefined) {
      add(
        { line, section, key },
        `is there a second time, must be there once (first in line ${earlier.line})`,
      );
      continue;
    }
    const value = entryValue(section, key, raw.slice(equals + 1).trim());
    // Entered even with a problem, so that a second one is seen; nobody uses entries when there are problems.
    entries.set(`${section}.${key}`, { section, key, line, value: isProblem(value) ? null : value.value });
    if (isProblem(value)) add({ line, section, key }, value.problem, value.hint);
  }
  return { entries, sections: sectionLines, problems };
}

/** What is wrong with a section that is not ours: the predicate, and a hint. */
export function unknownSection(name: string): [string, string?] {
  const known = [...Object.keys(PROFILE_SECTIONS), ...Object.keys(RUN_SECTIONS)];
  const nearest = nearestName(name.split(' ')[0]!, known);
  if (nearest !== null) return [`is not a known section, the nearest is [${nearest}]`];
  return ['is not a known section', `The sections are ${known.join(', ')}`];
}

/** What is wrong with the label of a section as [disk LABEL], or null. */
function labelProblem(name: string): [string] | null {
  const section = runSection(name);
  if (section === null) return null;
  const { kind, label } = section;
  if (RUN_SECTIONS[kind] !== 'each') return label === null ? null : [`has a label, must be [${kind}]`];
  if (label === null) return [`has no label, must be like [${kind} one]`];
  if (isLabel(label)) return null;
  return [`has the label ${quoted(label)}, must be one word of letters, digits, dots and dashes`];
}

/** What is wrong with a key's name, or null. In [devices] every label is right that is a word. */
export function unknownKey(section: string, key: string): [string, string?] | null {
  if (section === 'devices') {
    if (isLabel(key)) return null;
    return [`${quoted(key)} is not a label, must be one word of letters, digits, dots and dashes`];
  }
  if (profileKey(section, key) !== null) return null;
  // What may stand in the sections of a guest without libvirt is looked at by read-run-profile.ts, in passqemu run
  const run = runSection(section);
  if (run !== null && (RUN_SECTIONS[run.kind] !== 'words' || isLabel(key)) && !key.endsWith('[]'))
    return null;
  if (section === 'cpu' && RUN_CPU_KEYS.includes(key)) return null;
  if (key.endsWith('[]')) return ['is a list, must be a single value', 'Write the key once, without []'];
  if (run !== null)
    return [`${quoted(key)} is not a label, must be one word of letters, digits, dots and dashes`];
  const known = [...keysOfSection(section), ...(section === 'cpu' ? RUN_CPU_KEYS : [])];
  const nearest = nearestName(key, known);
  const elsewhere = placeOf(key);
  if (elsewhere !== undefined) return [`is not a known key of [${section}]`, elsewhere];
  if (nearest !== null) return [`is not a known key, the nearest is ${nearest}`];
  return ['is not a known key', `The keys of [${section}] are ${known.join(', ')}`];
}

/** Most are plain ASCII, and the pattern for all letters of the world takes the engine as long as the rest of the profile. */
function isLabel(key: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/.test(key) || /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(key);
}

function placeOf(key: string): string | undefined {
  const home = Object.keys(PROFILE_SECTIONS).find((section) => profileKey(section, key) !== null);
  return home === undefined ? undefined : `${key} is a key of [${home}]`;
}

const COMMENT_HINT = 'A comment must stand on a line of its own';

function entryValue(section: string, key: string, raw: string): Parsed<string> {
  if (raw === '') return { problem: 'has no value', hint: 'Write one, or put a # before the line' };
  if (profileKey(section, key)?.kind !== 'command' && section !== 'arguments') return parsePlainValue(raw);
  const sign = bareCommentSign(raw);
  if (sign === null) return { value: raw };
  return {
    problem: `would be cut at the ${sign}`,
    hint: `${COMMENT_HINT}. A word with # or ; goes in single quotes`,
  };
}

/** The text behind "key =" as a value: quotes taken off, escapes done, refused where `ini` would read something else. */
export function parsePlainValue(raw: string): Parsed<string> {
  const read = String(ini.unsafe(raw));
  if (/^(["']).*\1$/.test(raw)) {
    if (read !== unquote(raw))
      return { problem: `is quoted in a way that reads differently: ${quoted(raw)}`, hint: QUOTE_HINT };
    return hiddenSignAt(read) < 0
      ? { value: read }
      : { problem: 'has a sign that cannot be seen, must be plain text' };
  }
  const meant = raw.replace(/\\([\\;#])/g, '$1');
  if (read !== meant) {
    const cut = read === '' ? 'would be empty' : `would be cut to ${quoted(read)}`;
    return {
      problem: `${cut}, at a # or ;`,
      hint: `${COMMENT_HINT}. A value with # or ; in it goes in double quotes`,
    };
  }
  return /^["']|["']$/.test(raw)
    ? { problem: `has an open quote: ${quoted(raw)}`, hint: QUOTE_HINT }
    : { value: read };
}

const QUOTE_HINT = 'Write it in double quotes, with \\" for a quote and \\\\ for a backslash inside';

function unquote(raw: string): string | null {
  if (raw.startsWith("'")) return /^'[^']*'$/.test(raw) ? raw.slice(1, -1) : null;
  try {
    return String(JSON.parse(raw));
  } catch {
    return null;
  }
}
