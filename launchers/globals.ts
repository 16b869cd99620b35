import type { Host } from '../lib/host/host.ts';
import { RealHost } from '../lib/host/real-host.ts';
import type { SystemLog } from '../lib/host/system-log.ts';
import { UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';

/** What every command gets beside its own words. */
export interface Globals {
  readonly host: Host;
  readonly configDir: string;
  readonly stateDir: string;
  /** Whether --state-dir was given: commands that change a recorded machine demand it. */
  readonly stateDirGiven: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
  /** A line for people on stdout. */
  out(text: string): void;
  /** A complaint on stderr. */
  err(text: string): void;
}

/** Reads the options of every command. */
export async function makeGlobals(line: CommandLine, log: SystemLog): Promise<Globals> {
  const configDir = folder(line, 'config-dir');
  const stateDir = folder(line, 'state-dir');
  const root = folder(line, 'sysroot') ?? '/';
  const verbose = line.has('verbose');
  const quiet = line.has('quiet');
  const err = (text: string) => void process.stderr.write(`${text}\n`);
  const ours = [configDir, stateDir].filter((one) => one !== null);
  const host = await openHost(root, ours, (priority, text) => {
    // Only what really happens on this host belongs into its log
    if (root === '/') log.add(priority, text);
    if (verbose && priority !== 'info') err(text);
  });
  return {
    host,
    configDir: configDir ?? '/etc/passqemu',
    stateDir: stateDir ?? '/run/passqemu',
    stateDirGiven: stateDir !== null,
    json: line.has('json'),
    quiet,
    verbose,
    colour: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    out: (text) => void (quiet || process.stdout.write(`${text}\n`)),
    err,
  };
}

/** This machine, or a recorded one: a folder, or the file that `passqemu snapshot` made. */
async function openHost(root: string, ours: readonly string[], log: Host['log']): Promise<Host> {
  const here = new RealHost('/', log);
  if (root === '/') return new RealHost('/', log, ours);
  const kind = here.stat(root, 'follow')?.kind ?? null;
  if (kind === null)
    throw new UsageError(`Cannot read the host from ${root}: there is no such folder or file`);
  const host =
    kind === 'folder'
      ? new RealHost(root, log, ours)
      : (await import('../lib/host/open-snapshot.ts')).openSnapshot(root, here, ours);
  if ((await host).exists('/sys') || (await host).exists('/proc')) return host;
  throw new UsageError(
    `Cannot read the host from ${root}: it has neither sys/ nor proc/`,
    'Name the folder of a recorded machine, or the file that passqemu snapshot made',
  );
}

function folder(line: CommandLine, name: string): string | null {
  const given = line.value(name);
  if (given === null) return null;
  const path = given.startsWith('/') ? given : `${process.cwd()}/${given}`;
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
