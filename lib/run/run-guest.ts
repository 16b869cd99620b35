import { ensureStateFolder } from '../apply/state-folder.ts';
import type { Host, ProcessIdentity } from '../host/host.ts';
import type { PassedFile, ProcessEnd, Processes, StartedProcess } from '../host/processes.ts';
import { visible } from '../inputs/parsed.ts';
import { HostError } from '../words/errors.ts';
import { type DrivenLife, driveLife } from './drive-life.ts';
import { forgetLaunch, launchFiles, writeLaunch } from './launch-record.ts';
import type { LifeTimes } from './life.ts';
import { findMisplaced, placeThreads } from './place-threads.ts';
import { explainQemu } from './qemu-errors.ts';
import { QmpClient } from './qmp-client.ts';
import { planPlacements, readGuestThreads, type ThreadWishes } from './threads.ts';
import { within } from './within.ts';

/** All that a start of QEMU needs. */
export interface Launch {
  readonly guest: string;
  readonly stateDir: string;
  /** Every word up to QEMU's own program. */
  readonly wrapper: readonly string[];
  /** QEMU and its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Files that QEMU gets open. */
  readonly files: readonly PassedFile[];
  /** What this run makes in the state folder, for whoever must tidy up after a kill -9. */
  readonly leftovers: readonly string[];
  readonly wishes: ThreadWishes;
  readonly times: LifeTimes;
}

/** Whoever watches: `say` gets our lines, `qemu` QEMU's own. `control` is called once, with what ends the guest. */
export interface RunFace {
  say(line: string): void;
  qemu(line: string): void;
  control(life: Pick<DrivenLife, 'ask' | 'order'>): void;
  /** The guest runs, and this is its QEMU. */
  started(qemu: ProcessIdentity): void;
}

/** How it ended. `wanted`: somebody asked for it, so a signal is no failure. */
export interface RunEnd extends ProcessEnd {
  readonly wanted: boolean;
  /** What QEMU said last. */
  readonly output: string;
}

/** Only so much of what QEMU says is kept for its errors. */
const KEPT_OUTPUT = 64 << 10;
const QUIT_MS = 10_000;

/** Paths of the monitors' sockets may be this long (unix(7), sun_path). */
const LONGEST_SOCKET_PATH = 107;

/**
 * Starts QEMU paused, puts its threads on their CPUs, lets it go and leads its life until it ends. A QEMU that does not come so far is
 * ended before the error is thrown, with what it said and what we know of that.
 */
export async function runGuest(
  host: Host,
  processes: Processes,
  launch: Launch,
  face: RunFace,
): Promise<RunEnd> {
  const { guest, stateDir } = launch;
  const argv = launchArgv(launch);
  ensureStateFolder(host, stateDir);
  forgetLaunch(host, stateDir, guest);
  const started = await processes.start(argv, {
    env: launch.env,
    socket: true,
    terminal: hasConsole(argv),
    files: launch.files,
  });
  const output = watchOutput(started, face);
  try {
    const record = {
      guest,
      qemu: started.identity,
      launcher: host.self(),
      at: host.now(),
      stopMs: launch.times.stopMs,
      files: launch.leftovers,
    };
    writeLaunch(host, stateDir, record);
    const early = { asked: false };
    const stopEarly = () => {
      early.asked = true;
      host.signal(started.identity, 'SIGTERM');
    };
    let control: Pick<DrivenLife, 'ask' | 'order'> = { ask: stopEarly, order: stopEarly };
    face.control({ ask: () => control.ask(), order: () => control.order() });
    const qmp = await open(host, started, launch, output, early);
    if (qmp === null) return { ...(await started.ended), wanted: true, output: output.text };
    const life = driveLife({
      host,
      qmp,
      qemu: started.identity,
      times: launch.times,
      phase: 'running',
      say: face.say,
      lookAfterThreads: () => lookAfterThreads(host, qmp, started, launch.wishes),
    });
    control = life;
    await qmp.execute('cont');
    face.started(started.identity);
    const end = await started.ended;
    return { ...end, wanted: life.end().asked > 0, output: output.text };
  } catch (error) {
    await endAtOnce(host, started);
    throw error;
  } finally {
    forgetLaunch(host, stateDir, guest);
  }
}

/** QEMU's whole command line as it is started: paused, with our own monitor and the sockets for other commands. */
export function launchArgv({ guest, stateDir, wrapper, argv }: Launch): string[] {
  const monitors = monitorArguments(stateDir, guest);
  return [...wrapper, ...argv, ...sparePorts(argv), ...monitors, '-S', ...LAUNCHER_MONITOR];
}

/** The sockets by which `stop`, `monitor`, `attach` and `detach` reach QEMU: part of the line that people see as well. */
export function monitorArguments(stateDir: string, guest: string): string[] {
  const { qmp, monitor } = launchFiles(stateDir, guest);
  const long = [qmp, monitor].find((path) => Buffer.byteLength(path) > LONGEST_SOCKET_PATH);
  if (long !== undefined) {
    throw new HostError(
      `Cannot make the socket ${long}: its path is longer than ${LONGEST_SOCKET_PATH} bytes`,
      { path: long, hint: 'Give the guest a shorter name, or a shorter --state-dir' },
    );
  }
  const socket = (path: string) => `unix:${path.replaceAll(',', ',,')},server=on,wait=off`;
  return ['-qmp', socket(qmp), '-qmp', socket(monitor)];
}

/** Whether the guest's console is our own terminal ([serial] type = stdio): every key goes to the guest then, Ctrl-C too. */
export function hasConsole(argv: readonly string[]): boolean {
  return argv.some((word, at) => word.startsWith('stdio,') && argv[at - 1] === '-chardev');
}

/** How many functions can be plugged in while the guest runs: PCI Express takes one behind each root port, and none beside them. */
const SPARE_PORTS = 2;

/** Empty root ports of a q35 board, where QEMU has room for them, behind everything that has a place of its own. */
export function sparePorts(argv: readonly string[]): string[] {
  const machine = argv[argv.indexOf('-machine') + 1] ?? '';
  if (!/^q35(?:,|$)/.test(machine)) return [];
  return Array.from({ length: SPARE_PORTS }, (_, count) => [
    '-device',
    `pcie-root-port,id=spare${count},bus=pcie.0,chassis=${250 + count},slot=${250 + count}`,
  ]).flat();
}

const LAUNCHER_MONITOR = [
  ...['-chardev', 'socket,id=passqemu-launcher,fd=3'],
  ...['-mon', 'chardev=passqemu-launcher,mode=control'],
];

/** Waits for QEMU's greeting and places its threads; null where it was told to end meanwhile. */
async function open(
  host: Host,
  started: StartedProcess,
  { wishes }: Launch,
  output: { text: string },
  early: { asked: boolean },
): Promise<QmpClient | null> {
  const gone = started.ended.then((end) => end);
  try {
    const opening = QmpClient.open(started.socket!);
    const first = await Promise.race([opening, gone]);
    if (!(first instanceof QmpClient)) {
      opening.catch(() => {});
      if (early.asked) return null;
      throw failedStart(first, output.text);
    }
    await placeThreads(host, started.identity.pid, wishes, await readGuestThreads(first, wishes));
    return first;
  } catch (error) {
    if (early.asked) return null;
    if (error instanceof HostError && error.code === 'EPIPE') throw failedStart(await gone, output.text);
    throw error;
  }
}

function failedStart(end: ProcessEnd, output: string): HostError {
  const how = end.signal === null ? `it ended with status ${end.status}` : `it was ended by ${end.signal}`;
  return new HostError(`Cannot start QEMU: ${how}`, hintOf(output));
}

/** What is known of QEMU's last words, as the hint of an error. */
function hintOf(output: string): { hint?: string } {
  const lines = explainQemu(output).map(({ summary, remedy }) => `${summary}: ${remedy}`);
  return lines.length === 0 ? {} : { hint: lines.join('; ') };
}

/** The error of a QEMU that ended by itself and not well, or null. */
export function endError(end: RunEnd): HostError | null {
  if (end.wanted || end.status === 0) return null;
  const how = end.signal === null ? `with status ${end.status}` : `by signal ${end.signal}`;
  return new HostError(`QEMU has ended ${how}`, hintOf(end.output));
}

async function lookAfterThreads(
  host: Host,
  qmp: QmpClient,
  started: StartedProcess,
  wishes: ThreadWishes,
): Promise<void> {
  const threads = await readGuestThreads(qmp, wishes);
  const { pid } = started.identity;
  const placed = planPlacements(wishes, threads);
  if (findMisplaced(host, pid, wishes.emulator, placed).length > 0)
    await placeThreads(host, pid, wishes, threads);
}

function watchOutput(started: StartedProcess, face: RunFace): { text: string } {
  const output = { text: '' };
  let line = '';
  started.onOutput((part) => {
    output.text = (output.text + part).slice(-KEPT_OUTPUT);
    const lines = (line + part).slice(-KEPT_OUTPUT).split('\n');
    line = lines.pop() ?? '';
    for (const one of lines) if (one.trim() !== '') face.qemu(visible(one));
  });
  return output;
}

async function endAtOnce(host: Host, started: StartedProcess): Promise<void> {
  host.signal(started.identity, 'SIGTERM');
  if (await within(QUIT_MS, started.ended)) return;
  host.signal(started.identity, 'SIGKILL');
  await started.ended;
}
