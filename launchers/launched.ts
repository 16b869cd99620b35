import { profilePlace } from '../lib/apply/profile-place.ts';
import { isRunning } from '../lib/host/is-running.ts';
import { RealProcesses } from '../lib/host/real-processes.ts';
import { type LaunchRecord, launchFiles, readLaunches } from '../lib/run/launch-record.ts';
import { QmpClient } from '../lib/run/qmp-client.ts';
import { HostError, UsageError } from '../lib/words/errors.ts';
import type { Globals } from './globals.ts';

/** How long a running guest's monitor may take to answer: it talks to one at a time. */
const CONNECT_MS = 5_000;

/** Where launched guests of this user are: an ordinary user has a folder of their own, which ends with their session. */
export function launchStateDir({ stateDir, stateDirGiven }: Globals): string {
  if (stateDirGiven || process.getuid?.() === 0) return stateDir;
  const runtime = process.env.XDG_RUNTIME_DIR ?? '';
  if (!runtime.startsWith('/')) {
    throw new UsageError(
      'Cannot find a folder for running guests: XDG_RUNTIME_DIR is not set',
      'Log in by a session that sets it, give --state-dir, or run passqemu as root',
    );
  }
  return `${runtime.replace(/\/+$/, '')}/passqemu`;
}

/** Whether a guest of that name runs. */
export function isLaunched(named: string, globals: Globals): boolean {
  return lookUp(named, globals).record !== null;
}

function lookUp(named: string, globals: Globals): { guest: string; record: LaunchRecord | null } {
  const { guest } = profilePlace(globals.configDir, named);
  const record = readLaunches(globals.host, launchStateDir(globals)).find((one) => one.guest === guest);
  return { guest, record: record !== undefined && isRunning(globals.host, record.qemu) ? record : null };
}

/** The launched guest of that name; a HostError where it does not run. */
export function findLaunched(named: string, globals: Globals): LaunchRecord {
  const { guest, record } = lookUp(named, globals);
  if (record !== null) return record;
  throw new HostError(`${guest} does not run: there is no QEMU of passqemu run for it`, {
    hint: `passqemu status shows what runs; a libvirt guest is stopped by virsh shutdown ${guest}`,
  });
}

/** A talk with its QEMU over one of its two sockets, in the state folder that its record is in. */
export async function talkTo(
  { guest }: LaunchRecord,
  globals: Globals,
  socket: 'qmp' | 'monitor',
  stateDir = launchStateDir(globals),
): Promise<QmpClient> {
  const path = launchFiles(stateDir, guest)[socket];
  const connection = await new RealProcesses().connect(path, CONNECT_MS);
  try {
    return await QmpClient.open(connection, CONNECT_MS);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ETIMEDOUT') throw error;
    throw new HostError(`Cannot talk to QEMU of ${guest}: another process has its monitor ${path}`, {
      path,
      hint: 'It talks to one at a time: end the other one (socat, a passqemu that hangs)',
      cause: error,
    });
  }
}
