import { parseCpuList } from '../words/cpu-list.ts';
import { formatKib, parseSizeKib } from '../words/size.ts';
import { parseArgvWords } from './argv-words.ts';
import { isProblem, type Parsed, quoted } from './parsed.ts';
import type { ProfileKey, ValueKind, ValueOfKind } from './profile-keys.ts';

/** Reads the text of one value as its key asks for it. A problem is the predicate of a sentence whose subject is the key. */
export function parseProfileValue(key: ProfileKey, text: string): Parsed<ValueOfKind[ValueKind]> {
  return PARSERS[key.kind](text, key);
}

type ValueParser<K extends ValueKind> = (text: string, key: ProfileKey) => Parsed<ValueOfKind[K]>;

const PARSERS: { readonly [K in ValueKind]: ValueParser<K> } = {
  'yes-no': (text) => {
    if (text === 'yes' || text === 'no') return { value: text === 'yes' };
    return must(text, 'yes or no');
  },

  choice: (text, key) => {
    const choices = key.choices ?? [];
    return choices.includes(text) ? { value: text } : must(text, choices.join(' or '));
  },

  duration: (text, key) => {
    const ms = parseDurationMs(text);
    if (ms === null) return must(text, 'a duration with its unit, such as 30s, 500ms or 2m');
    return inRange(text, ms, key, formatMs);
  },

  size: (text, key) => {
    const kib = parseSizeKib(text);
    if (kib === null) return must(text, 'a size with its unit, such as 16G or 512M');
    return inRange(text, kib, key, formatKib);
  },

  // Which sizes there are is the kernel's to say (hugepages-*kB in sysfs); all of them are powers of two.
  'page-size': (text) => {
    if (text === 'off') return { value: 0 };
    const kib = parseSizeKib(text);
    if (kib !== null && kib >= 16 && kib <= 16 * 1024 ** 2 && Number.isInteger(Math.log2(kib)))
      return { value: kib };
    return must(text, 'a page size such as 2M or 1G, or off');
  },

  'node-sizes': (text) => {
    const nodes = new Map<number, number>();
    for (const part of text.split(/[\s,]+/)) {
      const match = /^(\d{1,4}):(.+)$/.exec(part);
      const kib = match === null ? null : parseSizeKib(match[2]!);
      if (match === null || kib === null || kib === 0)
        return must(text, 'node:size pairs, such as 0:8G 1:8G');
      const node = Number(match[1]);
      if (nodes.has(node)) return must(text, `one size a node: node ${node} is there twice`);
      nodes.set(node, kib);
    }
    return {
      value: [...nodes].map(([node, sizeKib]) => ({ node, sizeKib })).sort((a, b) => a.node - b.node),
    };
  },

  cpus: (text) => {
    const cpus = parseCpuList(text);
    return cpus === null || cpus.length === 0 ? must(text, 'a CPU list such as 2-5,10-13') : { value: cpus };
  },

  // Governors and energy preferences: what the kernel knows by such a name is checked against its own list later.
  name: (text) =>
    /^[a-z0-9][a-z0-9_-]{0,31}$/.test(text) ? { value: text } : must(text, 'a name in lower-case letters'),

  // Names of units and processes: they become words of an argv, never of a shell.
  names: (text) => {
    const names = text.split(/[\s,]+/).filter((word) => word !== '');
    return names.length > 0 &&
      names.length <= 64 &&
      names.every((word) => /^[\w@.:+\\][\w@.:+\\-]{0,199}$/.test(word))
      ? { value: names }
      : must(text, 'names with spaces between them');
  },

  integer: (text, key) => {
    if (!/^-?\d{1,9}$/.test(text)) return must(text, 'a whole number');
    return inRange(text, Number(text), key, String);
  },

  command: (text) => {
    const words = parseArgvWords(text);
    if (isProblem(words)) return words;
    const [program = ''] = words.value;
    if (program.startsWith('/')) return words;
    return {
      problem: `runs ${quoted(program)}, must name its program by the whole path`,
      hint: "There is no shell and no search path; for shell code write /bin/sh -c '…'",
    };
  },
};

/** Reads "500ms", "30s", "2m" or "1h", in ms, or gives null. A bare number is refused: no unit, no guess. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9})\s*(ms|s|m|min|h)$/.exec(text);
  return match === null ? null : Number(match[1]) * MS_OF_UNIT[match[2]!]!;
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Writes ms in the largest unit that stays whole: "2m", "30s", "500ms". */
export function formatMs(ms: number): string {
  if (ms !== 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms !== 0 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function inRange(
  text: string,
  value: number,
  key: ProfileKey,
  format: (value: number) => string,
): Parsed<number> {
  const [least, most] = key.range ?? [0, Number.MAX_SAFE_INTEGER];
  if (value >= least && value <= most) return { value };
  return must(text, `${format(least)} to ${format(most)}`);
}

function must(text: string, what: string): { readonly problem: string } {
  return { problem: `is ${quoted(text)}, must be ${what}` };
}
