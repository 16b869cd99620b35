import { readTopology } from '../lib/host/topology.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { formatTopology } from './topology-text.ts';

/** `passqemu topology`: packages, caches, cores and nodes, and what the kernel keeps off which CPUs. */
export async function topology(_line: CommandLine, globals: Globals): Promise<number> {
  const facts = readTopology(globals.host);
  globals.out(globals.json ? JSON.stringify(facts, null, 2) : formatTopology(facts, globals.colour));
  return 0;
}
