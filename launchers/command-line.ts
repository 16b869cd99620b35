import minimist from 'minimist';
import { UsageError } from '../lib/words/errors.ts';
import { nearestName } from '../lib/words/nearest-name.ts';

/** One option of a command, as help, man page and completion show it. `value` names what follows it; without one it is a switch. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly help: string;
}

/** What a person typed behind the command's name. */
export interface CommandLine {
  readonly words: readonly string[];
  /** Everything behind `--`. */
  readonly rest: readonly string[];
  /** Whether a switch was given. */
  has(name: string): boolean;
  /** An option's value, or null. */
  value(name: string): string | null;
}

/** Reads argv against the options that are allowed; anything else is a UsageError with the nearest known name. */
export function parseCommandLine(argv: readonly string[], options: readonly OptionSpec[]): CommandLine {
  const long = options.map(({ name }) => name);
  const known = new Set(options.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short])));
  // minimist swallows what it does not know, so look first
  for (const word of argv.slice(0, stopAt(argv))) {
    const match = /^--([^=]+)|^-([a-zA-Z])/.exec(word);
    const name = match?.[1] ?? match?.[2];
    if (name === undefined || known.has(name)) continue;
    const near = nearestName(name, long);
    throw new UsageError(`Unknown option ${word}`, near === null ? undefined : `Did you mean --${near}?`);
  }
  const withValue = options.filter(({ value }) => value !== undefined);
  const parsed = minimist([...argv], {
    string: ['_', ...withValue.map(({ name }) => name)],
    boolean: options.filter(({ value }) => value === undefined).map(({ name }) => name),
    alias: Object.fromEntries(
      options.flatMap(({ name, short }) => (short === undefined ? [] : [[short, name]])),
    ),
    '--': true,
  });
  for (const { name, value } of withValue) {
    const given: unknown = parsed[name];
    if (Array.isArray(given)) throw new UsageError(`Option --${name} is given more than once`);
    if (given === '') throw new UsageError(`Option --${name} lacks its ${value}`);
  }
  return {
    words: parsed._,
    rest: parsed['--'] ?? [],
    has: (name) => parsed[name] === true,
    value: (name) => (typeof parsed[name] === 'string' ? (parsed[name] as string) : null),
  };
}

function stopAt(argv: readonly string[]): number {
  const at = argv.indexOf('--');
  return at < 0 ? argv.length : at;
}
