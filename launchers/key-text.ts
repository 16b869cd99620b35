import {
  keysOfSection,
  PROFILE_SECTIONS,
  type ProfileKey,
  profileKey,
  type ValueKind,
  valueSyntax,
} from '../lib/inputs/profile-keys.ts';
import { RUN_SYNTAX, type RunKey } from '../lib/inputs/run-key.ts';
import { RUN_KEYS, runKey } from '../lib/inputs/run-keys.ts';
import { formatKib } from '../lib/words/size.ts';

/** A key of the profile, of either table. */
export type AnyKey = ProfileKey | RunKey;

/** How a key's value is written, and its default and range in words. */
export function describeKey(key: AnyKey): { readonly syntax: string; readonly facts: string } {
  const facts = [
    ...(key.default === null ? [] : [`Default: ${key.default}.`]),
    ...(key.range === undefined
      ? []
      : [`From ${key.range.map((value) => formatValue(key, value)).join(' to ')}.`]),
  ];
  return { syntax: syntaxOf(key), facts: facts.join(' ') };
}

/** The names of all keys as "section.key", those of guests without libvirt behind the others. */
export function listKeys(): readonly string[] {
  const own = Object.keys(PROFILE_SECTIONS).flatMap((section) =>
    keysOfSection(section).map((key) => `${section}.${key}`),
  );
  const run = Object.entries(RUN_KEYS).flatMap(([section, keys]) =>
    Object.keys(keys).map((key) => `${section}.${key}`),
  );
  return [...new Set([...own, ...run])];
}

/** The key of the name "cpu.governor", or null. */
export function findKey(name: string): AnyKey | null {
  const dot = name.indexOf('.');
  if (dot < 0) return null;
  const [section, key] = [name.slice(0, dot), name.slice(dot + 1)];
  return profileKey(section, key) ?? runKey(section, key);
}

function syntaxOf(key: AnyKey): string {
  if (key.choices !== undefined) return key.choices.join('|');
  const syntax: Readonly<Record<string, string>> = RUN_SYNTAX;
  return syntax[key.kind] ?? valueSyntax({ ...key, kind: key.kind as ValueKind });
}

function formatValue({ kind }: AnyKey, value: number): string {
  if (kind === 'size') return formatKib(value);
  if (kind !== 'duration') return `${value}`;
  if (value >= 3_600_000 && value % 3_600_000 === 0) return `${value / 3_600_000}h`;
  return value >= 1000 && value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`;
}
