import type { Host, ProcessIdentity } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import { STOP_TIMES } from './life.ts';
import { asObject } from './qmp-text.ts';

/** A guest that `passqemu run` has started: a file of its own beside the journal, because a guest may hold nothing. */
export interface LaunchRecord {
  readonly guest: string;
  readonly qemu: ProcessIdentity;
  readonly launcher: ProcessIdentity;
  /** When it was started, in ms. */
  readonly at: number;
  /** How long the guest may take to power down, as its profile has it. */
  readonly stopMs: number;
  /** Sockets of this run and the folders that hold them, innermost first: below the state folder, to be removed in the end. */
  readonly files: readonly string[];
}

/** The files of a launched guest in the state folder. */
export function launchFiles(
  stateDir: string,
  guest: string,
): { record: string; qmp: string; monitor: string } {
  const base = `${stateDir}/${guest}`;
  return { record: `${base}.run`, qmp: `${base}.qmp`, monitor: `${base}.monitor` };
}

/** Writes down that a guest runs; readable for everybody, as who holds what is. */
export function writeLaunch(host: Host, stateDir: string, record: LaunchRecord): void {
  host.replaceFile(launchFiles(stateDir, record.guest).record, `${JSON.stringify(record)}\n`, 0o644);
}

/** The launched guests that are known, whether they still run or not; what cannot be read is none. */
export function readLaunches(host: Host, stateDir: string): LaunchRecord[] {
  return host
    .list(stateDir)
    .filter((name) => name.endsWith('.run'))
    .map((name) => parseLaunch(host.readOptional(`${stateDir}/${name}`) ?? '', name.slice(0, -'.run'.length)))
    .filter((record) => record !== null);
}

/** Removes what a launched guest that runs no more has left in the state folder. */
export function forgetLaunch(host: Host, stateDir: string, guest: string): void {
  for (const path of Object.values(launchFiles(stateDir, guest))) host.remove(path);
}

/** Removes what guests have left that nobody can tidy up any more: neither their QEMU nor their launcher runs. */
export function forgetEnded(host: Host, stateDir: string): void {
  for (const { guest, qemu, launcher, files } of readLaunches(host, stateDir)) {
    if (isRunning(host, qemu) || isRunning(host, launcher)) continue;
    removeRunFiles(host, stateDir, files);
    forgetLaunch(host, stateDir, guest);
  }
}

/** Removes sockets, small files and folders of a run, where they are ours and nothing else is in them. */
export function removeRunFiles(host: Host, stateDir: string, files: readonly string[]): void {
  const isOurs = (path: string) => path.startsWith(`${stateDir}/run/`) && !path.split('/').includes('..');
  for (const path of [...files.filter(isOurs), `${stateDir}/run`]) {
    const kind = host.stat(path)?.kind;
    const isEmpty = kind === 'folder' && host.list(path).length === 0;
    if (kind === 'other' || kind === 'file' || isEmpty) host.remove(path);
  }
}

/** Reads a record; null where it is none, or another guest's. */
export function parseLaunch(text: string, guest: string): LaunchRecord | null {
  let fields: Readonly<Record<string, unknown>> | null;
  try {
    fields = asObject(JSON.parse(text));
  } catch {
    return null;
  }
  const [qemu, launcher] = [parseIdentity(fields?.qemu), parseIdentity(fields?.launcher)];
  const { at, files, stopMs = STOP_TIMES.stopMs } = fields ?? {};
  const isList = Array.isArray(files) && files.every((path) => typeof path === 'string');
  if (fields?.guest !== guest || qemu === null || launcher === null || typeof at !== 'number' || !isList)
    return null;
  if (!Number.isSafeInteger(stopMs)) return null;
  return { guest, qemu, launcher, at, stopMs: Number(stopMs), files: files as string[] };
}

function parseIdentity(value: unknown): ProcessIdentity | null {
  const fields = asObject(value);
  const [pid, startTicks] = [fields?.pid, fields?.startTicks];
  return Number.isSafeInteger(pid) && Number.isSafeInteger(startTicks) && Number(pid) > 0
    ? { pid: Number(pid), startTicks: Number(startTicks) }
    : null;
}
