import { UsageError } from '../lib/words/errors.ts';
import { nearestName } from '../lib/words/nearest-name.ts';
import type { Manual } from './command.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { formatCommandHelp, formatOverview } from './help.ts';
import { describeKey, findKey, listKeys } from './key-text.ts';

/** `passqemu help [command|section.key]`: the overview, the help of a command, or what a key of the profile means. */
export async function help(line: CommandLine, globals: Globals, manual: Manual): Promise<number> {
  globals.out(explain(line.words[0] ?? null, manual));
  return 0;
}

function explain(word: string | null, { commands, options }: Manual): string {
  if (word === null) return formatOverview(commands, options);
  const command = commands.find(({ name }) => name === word);
  if (command !== undefined) return formatCommandHelp(command, options);
  const key = findKey(word);
  if (key !== null) {
    const { syntax, facts } = describeKey(key);
    const [section, name] = [word.slice(0, word.indexOf('.')), word.slice(word.indexOf('.') + 1)];
    return [`[${section}]`, `${name} = ${syntax}`, '', key.help, ...(facts === '' ? [] : [facts])].join('\n');
  }
  const near = nearestName(word, [...commands.map(({ name }) => name), ...listKeys()]);
  throw new UsageError(
    `Cannot explain ${JSON.stringify(word)}: it is no command and no key of the profile`,
    near === null
      ? 'passqemu help lists the commands, passqemu man profile the keys'
      : `Did you mean ${near}?`,
  );
}
