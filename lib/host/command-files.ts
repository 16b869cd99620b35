import type { Profile } from '../inputs/profile.ts';
import type { Host } from './host.ts';
import { type ProgramFault, readProgramFault } from './programs.ts';

/** The programs of a profile's commands, each with what is wrong with it. */
export type CommandPicture = ReadonlyMap<string, ProgramFault>;

/** Looks at the programs of all commands in a profile, those of later stages too: a prepare is the time to say what is wrong. */
export function readCommandPicture(host: Host, commands: Profile['commands']): CommandPicture {
  const picture = new Map<string, ProgramFault>();
  for (const command of Object.values(commands)) {
    const program = command?.argv[0];
    if (program !== undefined && !picture.has(program)) picture.set(program, readProgramFault(host, program));
  }
  return picture;
}
