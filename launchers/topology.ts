import { writeCallerFile } from '../lib/host/caller-files.ts';
import { callerPath } from './caller-path.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { readTopologyReport } from './topology-report.ts';
import { formatTopologySvg } from './topology-svg.ts';
import { formatTopology } from './topology-text.ts';

/** `passqemu topology`: packages, caches, cores and nodes, what the kernel keeps off which CPUs, and which guest has which. */
export async function topology(line: CommandLine, globals: Globals): Promise<number> {
  const report = readTopologyReport(globals.host, globals.stateDir);
  const file = line.value('svg');
  if (file === '-') globals.out(formatTopologySvg(report));
  else if (file !== null)
    writeCallerFile(callerPath(file), Buffer.from(`${formatTopologySvg(report)}\n`), true);
  else if (globals.json) globals.out(JSON.stringify(report, null, 2));
  else globals.out(formatTopology(report, globals.colour, process.stdout.columns));
  return 0;
}
