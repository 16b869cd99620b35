import { writeCallerFile } from '../lib/host/caller-files.ts';
import type { Host } from '../lib/host/host.ts';
import { callerPath } from './caller-path.ts';
import type { CommandLine } from './command-line.ts';
import { readDevicesReport } from './devices-report.ts';
import { readFindings } from './doctor-findings.ts';
import type { Globals } from './globals.ts';
import { formatReport, type ReportInput } from './report-page.ts';
import { readTopologyReport } from './topology-report.ts';

/** `passqemu report FILE.html`: the machine on one page that can be read, printed and sent as it is. */
export async function report(line: CommandLine, globals: Globals): Promise<number> {
  const page = Buffer.from(formatReport(await readReport(globals)));
  const file = line.words[0] ?? '';
  if (file === '-') {
    globals.out(page.toString());
    return 0;
  }
  const path = callerPath(file);
  writeCallerFile(path, page, line.has('force'));
  globals.out(
    `${path}: ${Math.ceil(page.length / 1024)} KiB. It names mounts, interfaces and guests of this machine`,
  );
  return 0;
}

/** Reads all that the page tells. */
export async function readReport(globals: Globals): Promise<ReportInput> {
  const { host, stateDir } = globals;
  return {
    system: readSystem(host),
    kernel: host.readOptional('/proc/sys/kernel/osrelease'),
    commandLine: host.readOptional('/proc/cmdline'),
    findings: await readFindings(globals, null),
    devices: readDevicesReport(host, stateDir),
    topology: readTopologyReport(host, stateDir),
    timeMs: host.now(),
  };
}

/** The distribution's name for people. See os-release(5). */
function readSystem(host: Host): string | null {
  const text = host.readOptional('/etc/os-release') ?? host.readOptional('/usr/lib/os-release') ?? '';
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1] ?? null;
}
