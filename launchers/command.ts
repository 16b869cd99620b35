import type { CommandLine, OptionSpec } from './command-line.ts';
import type { Globals } from './globals.ts';

/** One command: what help, man page and completion say of it, and what it does. Its code is loaded only when it is called. */
export interface Command {
  readonly name: string;
  /** Its words, as usage shows them: "<guest>". */
  readonly words: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Whether it changes the host: then a recorded machine is refused unless --state-dir is given. */
  readonly changes: boolean;
  /** How many words it takes: least and most. */
  readonly count: readonly [number, number];
  run(line: CommandLine, globals: Globals, manual: Manual): Promise<number>;
}

/** All commands and the options of every one, for those that tell of them. */
export interface Manual {
  readonly commands: readonly Command[];
  readonly options: readonly OptionSpec[];
}
