import type { Command, Manual } from './command.ts';
import type { OptionSpec } from './command-line.ts';

/** What the shell may put in: a value, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** What is asked of the machine only where it is needed. */
export interface CompletionFacts {
  guests(): readonly string[];
  addresses(): readonly Candidate[];
  keys(): readonly Candidate[];
}

/** The candidates for the last of these words (those behind "passqemu"); 'files' where a path of any kind may stand. */
export function completeWords(
  words: readonly string[],
  { commands, options }: Manual,
  facts: CompletionFacts,
): readonly Candidate[] | 'files' {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = commands.find(({ name }) => before.includes(name)) ?? null;
  const known = [...(command?.options ?? []), ...options];
  const asked = known.find(({ name, value }) => value !== undefined && before.at(-1) === `--${name}`);
  const found =
    asked !== undefined
      ? forValue(asked, facts)
      : current.startsWith('-')
        ? known.map(({ name, help }) => ({ value: `--${name}`, about: help }))
        : command === null
          ? commands.map(({ name, summary }) => ({ value: name, about: summary }))
          : forWord(command, wordsBehind(before, command, known), { commands, options }, facts);
  if (found === 'files') return found;
  return found.filter(
    ({ value }) => value.startsWith(current) && !(value.startsWith('-') && before.includes(value)),
  );
}

/** By how the option's value is called in the help. */
function forValue(
  { name, value = '', help }: OptionSpec,
  facts: CompletionFacts,
): readonly Candidate[] | 'files' {
  if (/^ADDR/.test(value)) return facts.addresses();
  if (/FILE|DIR/.test(value)) return 'files';
  if (name !== 'smt' && !value.includes('|')) return [];
  const choices = value.includes('|') ? value.split('|') : ['keep', 'spread'];
  return choices.map((one) => ({ value: one, about: help }));
}

/** By how the command's words are called in the help: "<guest>", "dump ADDRESS FILE | check FILE", "bash|zsh|fish". */
function forWord(
  { name, words }: Command,
  given: readonly string[],
  { commands }: Manual,
  facts: CompletionFacts,
): readonly Candidate[] | 'files' {
  const forms = (/ \| /.test(words) ? words.split(' | ') : [words]).map((form) =>
    form.split(/\s+/).filter(Boolean),
  );
  // "dump ADDRESS FILE": what stands in small letters must be what was given
  const fitting = forms.filter((form) =>
    given.every((word, at) => !/^[a-z]+$/.test(form[at] ?? '') || form[at] === word),
  );
  const places = fitting.flatMap((form) => form[given.length] ?? []);
  let anyFile = false;
  const found = places.flatMap((place): readonly Candidate[] => {
    const bare = place.replace(/[<>[\]…]/g, '');
    if (bare === 'guest') return facts.guests().map((guest) => ({ value: guest, about: 'guest' }));
    if (/^(?:ADDR|address)/i.test(bare)) return facts.addresses();
    if (/file|domain\.xml|dir/i.test(bare)) anyFile = true;
    if (/^(?:command|key|profile|section\.key)(?:\||$)/.test(bare)) {
      const parts = bare.split('|');
      return [
        ...commands.map((command) => ({ value: command.name, about: command.summary })),
        ...(parts.includes('profile') ? [{ value: 'profile', about: 'the profile of a guest' }] : []),
        ...(parts.includes('section.key') ? facts.keys() : []),
      ];
    }
    const literals = bare
      .split('|')
      .filter((one) => /^[a-z][a-z-]*$/.test(one) && !/^(?:text|operation|extra)$/.test(one));
    return literals.map((value) => ({ value, about: name }));
  });
  return found.length === 0 && anyFile ? 'files' : found;
}

/** The words that the command has got already; options and their values are none. */
function wordsBehind(before: readonly string[], command: Command, known: readonly OptionSpec[]): string[] {
  const behind = before.slice(before.indexOf(command.name) + 1);
  return behind.filter((word, at) => {
    const isValue = known.some(({ name, value }) => value !== undefined && behind[at - 1] === `--${name}`);
    return !isValue && !word.startsWith('-');
  });
}
