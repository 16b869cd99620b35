import { SystemLog } from '../lib/host/system-log.ts';
import { PassqemuError, UsageError } from '../lib/words/errors.ts';
import { nearestName } from '../lib/words/nearest-name.ts';
import { formatErrorLines } from '../lib/words/one-line.ts';
import type { Command } from './command.ts';
import { type CommandLine, parseCommandLine } from './command-line.ts';
import { COMMANDS, GLOBAL_OPTIONS } from './commands.ts';
import { type Globals, makeGlobals } from './globals.ts';
import { formatCommandHelp, formatOverview } from './help.ts';
import { rootHint } from './root-hint.ts';

/** The command line: finds the command, reads the options, tells errors, gives the exit status of the public contract. */
async function main(argv: readonly string[]): Promise<number> {
  const log = new SystemLog();
  let json = false;
  try {
    const at = argv.findIndex((word, index) => !word.startsWith('-') && !takesNext(argv[index - 1]));
    const named = argv[at] ?? '';
    const command = COMMANDS.find(({ name }) => name === named);
    if (command === undefined) return overview(argv, named);
    const rest = argv.toSpliced(at, 1);
    const line = parseCommandLine(rest, [...command.options, ...GLOBAL_OPTIONS]);
    json = line.has('json');
    if (line.has('help')) {
      process.stdout.write(`${formatCommandHelp(command, GLOBAL_OPTIONS)}\n`);
      return 0;
    }
    const globals = await makeGlobals(line, log);
    check(command, line, globals);
    return await command.run(line, globals, MANUAL);
  } catch (error) {
    return complain(error, json);
  } finally {
    await log.flush();
  }
}

/** Whether the word behind this one is its value: options may stand before the command. */
function takesNext(word: string | undefined): boolean {
  return GLOBAL_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`);
}

const MANUAL = { commands: COMMANDS, options: GLOBAL_OPTIONS };

function overview(argv: readonly string[], named: string): number {
  if (named !== '') {
    const near = nearestName(
      named,
      COMMANDS.map(({ name }) => name),
    );
    throw new UsageError(
      `Unknown command ${JSON.stringify(named)}`,
      near === null ? 'passqemu --help lists the commands' : `Did you mean ${near}?`,
    );
  }
  const asked = parseCommandLine(argv, GLOBAL_OPTIONS).has('help');
  (asked ? process.stdout : process.stderr).write(`${formatOverview(COMMANDS, GLOBAL_OPTIONS)}\n`);
  return asked ? 0 : 2;
}

function check(command: Command, line: CommandLine, globals: Globals): void {
  const [least, most] = command.count;
  const { length } = line.words;
  if (length < least)
    throw new UsageError(
      `passqemu ${command.name} lacks ${command.words}`,
      `passqemu ${command.name} --help`,
    );
  if (length > most)
    throw new UsageError(
      `passqemu ${command.name} takes no "${line.words[most]}"`,
      `passqemu ${command.name} --help`,
    );
  if (command.changes && !line.has('explain') && globals.host.root !== '/' && !globals.stateDirGiven) {
    throw new UsageError(
      `passqemu ${command.name} changes the host, ${globals.host.root} is a recorded one`,
      'Give --state-dir too if that is what you want',
    );
  }
}

function complain(error: unknown, json: boolean): number {
  const [first = '', ...more] = formatErrorLines(error);
  const expected = error instanceof PassqemuError;
  const hint = (expected ? error.hint : undefined) ?? rootHint(error, process.getuid?.() ?? null);
  if (hint !== null && !more.includes(hint)) more.push(hint);
  if (json && expected) {
    const refusals = 'refusals' in error ? error.refusals : [];
    process.stdout.write(`${JSON.stringify({ error: first, hint, refusals })}\n`);
  }
  process.stderr.write(`passqemu: ${first}\n${more.map((line) => `  ${line}\n`).join('')}`);
  if (!expected) process.stderr.write(`${(error as Error).stack}\n`);
  return expected ? error.exitCode : 1;
}

// A reader that has seen enough (head, less) is no fault
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// Node ends without a word where it has nothing to wait for any more: that is no success
process.exitCode = 1;
main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
