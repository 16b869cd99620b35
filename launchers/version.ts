import { VERSION } from '../lib/words/version.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';

/** `passqemu version` */
export async function version(_line: CommandLine, globals: Globals): Promise<number> {
  globals.out(
    globals.json ? JSON.stringify({ version: VERSION, node: process.versions.node }) : `passqemu ${VERSION}`,
  );
  return 0;
}
