import { findJournal } from '../lib/apply/find-journal.ts';
import type { GuestInputs } from '../lib/apply/guest.ts';
import { heldSteps, readState } from '../lib/apply/journal.ts';
import { runStageCommand } from '../lib/apply/stage-command.ts';
import { ensureStateFolder } from '../lib/apply/state-folder.ts';
import { isRunning } from '../lib/host/is-running.ts';
import { readOnlineCpus } from '../lib/host/online-cpus.ts';
import type { Processes } from '../lib/host/processes.ts';
import { RealProcesses } from '../lib/host/real-processes.ts';
import { isSystemd } from '../lib/host/systemd.ts';
import type { RunPlan } from '../lib/qemu/run-plan.ts';
import { Companions, makeFiles, runFiles } from '../lib/run/companions.ts';
import { launchOf, realtimeCpus } from '../lib/run/launch-of.ts';
import { readLaunches, removeRunFiles } from '../lib/run/launch-record.ts';
import type { LifeTimes } from '../lib/run/life.ts';
import { type OwnProgram, runChange } from '../lib/run/life-changes.ts';
import { judgeRealtime } from '../lib/run/realtime.ts';
import { endError, hasConsole, type Launch, type RunEnd, runGuest } from '../lib/run/run-guest.ts';
import type { WrapperInput } from '../lib/run/wrapper.ts';
import { PassqemuError, RefusedError } from '../lib/words/errors.ts';
import { heldOf } from '../lib/words/step.ts';
import type { Globals } from './globals.ts';
import { runSignals } from './run-signals.ts';
import type { StatusLine } from './run-status.ts';
import { watchingReport } from './watching-report.ts';

/** A guest as it is to be run. */
export interface RunRequest {
  readonly plan: RunPlan;
  readonly inputs: GuestInputs;
  /** The profile's path: what prepare and release are called with. */
  readonly profile: string;
  /** Whether anything of the host must be taken for it. */
  readonly needsPrepare: boolean;
  readonly stateDir: string;
  readonly times: LifeTimes;
}

/**
 * A guest's whole life: prepare, QEMU, release. What was taken is given back whatever happens in between; only the exit status tells
 * how it went (0 the guest ended, 1 it could not, 3 something is not back).
 */
export async function runWhole(request: RunRequest, globals: Globals): Promise<number> {
  const { plan } = request;
  const processes = new RealProcesses();
  const signals = runSignals();
  const say = (text: string) => void (globals.quiet || globals.err(text));
  for (const note of [...plan.notes, ...checkRealtime(plan, globals)]) say(`note: ${note}`);
  refuseSecond(request, globals);
  const change = (words: readonly string[]) =>
    runChange(processes, ownProgram(request, globals), words, {
      line: say,
      // Prepare undoes itself on a signal, release finishes
      started: (identity) => {
        const end = () => void globals.host.signal(identity, 'SIGTERM');
        signals.to({ ask: end, order: end });
      },
    });
  if (request.needsPrepare) await change(['prepare', request.profile, '--owner', String(process.pid)]);
  let end: RunEnd | null = null;
  let fault: unknown = null;
  try {
    // Asked to stop between prepare and QEMU: then there is nothing to run
    if (!signals.asked()) end = await runWithCompanions(request, processes, signals, globals, say);
  } catch (error) {
    fault = error;
  }
  if (request.needsPrepare) {
    await change(['release', request.profile]).catch((error: unknown) => {
      if (fault !== null) globals.err(`passqemu: ${fault instanceof Error ? fault.message : String(fault)}`);
      throw error;
    });
  }
  if (fault !== null) throw fault;
  const error = end === null ? null : endError(end);
  if (error !== null) throw error;
  say(`${plan.guest} has ended${request.needsPrepare ? '; the host is as it was' : ''}`);
  return 0;
}

async function runWithCompanions(
  request: RunRequest,
  processes: Processes,
  signals: ReturnType<typeof runSignals>,
  globals: Globals,
  say: (line: string) => void,
): Promise<RunEnd> {
  const { host } = globals;
  const { plan } = request;
  const companions = new Companions(host);
  const launch = launchOf(plan, {
    stateDir: request.stateDir,
    place: readPlace(request, globals),
    env: process.env,
    times: request.times,
  });
  ensureStateFolder(host, request.stateDir);
  try {
    await makeFiles(host, plan);
    await companions.start(processes, plan, launch.env, say);
    return await runQemu(request, launch, processes, signals, globals, say);
  } finally {
    await companions.end();
    removeRunFiles(host, request.stateDir, runFiles(plan));
  }
}

async function runQemu(
  { plan, inputs, stateDir }: RunRequest,
  launch: Launch,
  processes: Processes,
  signals: ReturnType<typeof runSignals>,
  globals: Globals,
  say: (line: string) => void,
): Promise<RunEnd> {
  const stage = (name: 'started' | 'stopped') =>
    runStageCommand(
      globals.host,
      globals.configDir,
      launch.guest,
      name,
      watchingReport(globals, launch.guest, name),
    ).catch((error: unknown) => {
      // What the user's command answers changes nothing
      if (!(error instanceof PassqemuError)) throw error;
      say(error.message);
    });
  let started: Promise<void> = Promise.resolve();
  let interrupts: Promise<() => void> = Promise.resolve(() => {});
  let status: StatusLine = { above: (write) => write(), end: () => {} };
  let over = false;
  const end = await runGuest(globals.host, processes, launch, {
    say: (line) => status.above(() => say(line)),
    qemu: (text) => status.above(() => globals.err(`qemu: ${text}`)),
    control: (life) => signals.to(life),
    started: (qemu) => {
      interrupts = import('./run-interrupts.ts').then(({ keepInterrupts }) =>
        keepInterrupts(globals.host, stateDir, inputs, qemu, plan.threads.vcpus),
      );
      say(`${launch.guest} runs; Ctrl-C asks it to power down`);
      if (hasStatusLine(launch, globals)) {
        void import('./run-status.ts').then(({ showStatus }) => {
          if (!over) status = showStatus(globals.host, launch.guest, qemu, process.stderr);
        });
      }
      started = stage('started');
    },
  });
  over = true;
  status.end();
  (await interrupts)();
  await started;
  await stage('stopped');
  return end;
}

/** Where a person watches, and the terminal is not the guest's console. */
function hasStatusLine(launch: Launch, { quiet, colour }: Globals): boolean {
  return colour && !quiet && process.stderr.isTTY === true && !hasConsole(launch.argv);
}

/** A guest that runs already must not be started again, nor its record be taken from it. */
function refuseSecond({ plan, stateDir }: RunRequest, { host }: Globals): void {
  const running = readLaunches(host, stateDir).find(
    (one) => one.guest === plan.guest && isRunning(host, one.qemu),
  );
  if (running === undefined) return;
  throw new RefusedError(
    `Cannot start ${plan.guest}: it runs already (QEMU is process ${running.qemu.pid})`,
    [],
    `passqemu stop ${plan.guest} ends it`,
  );
}

/** The hazards of real time, told; all reasons against it, thrown. */
function checkRealtime({ threads, guest }: RunPlan, { host }: Globals): readonly string[] {
  const online = readOnlineCpus(host);
  const read = (name: string) => {
    const text = host.readOptional(`/proc/sys/kernel/${name}`);
    return text === null ? null : Number(text);
  };
  const { refusals, notes } = judgeRealtime({
    cpus: realtimeCpus(threads, online),
    online,
    priority: threads.realTime?.priority ?? 1,
    runtimeUs: read('sched_rt_runtime_us'),
    periodUs: read('sched_rt_period_us'),
  });
  if (refusals.length > 0) throw new RefusedError(`Cannot start ${guest}`, refusals);
  return notes;
}

/** Where QEMU belongs so that it may use its CPUs: a scope of systemd's, or the partition that prepare has made without systemd. */
export function readPlace({ plan, stateDir }: RunRequest, { host }: Globals): WrapperInput['place'] {
  if (process.getuid?.() !== 0) return null;
  if (isSystemd(host)) return { by: 'scope' };
  const journal = findJournal(readState(host, stateDir).journals, { guest: plan.guest, uuid: null });
  const partition = journal === null ? undefined : heldOf(heldSteps([journal]), 'partition')[0];
  return partition === undefined ? null : { by: 'cgroup', cgroup: partition.step.cgroup };
}

function ownProgram({ stateDir }: RunRequest, { configDir }: Globals): OwnProgram {
  const { PATH, HOME, XDG_RUNTIME_DIR } = process.env;
  const env = Object.entries({ PATH, HOME, XDG_RUNTIME_DIR, LC_ALL: 'C' });
  return {
    argv: [process.execPath, process.argv[1] ?? ''],
    options: ['--config-dir', configDir, '--state-dir', stateDir],
    env: Object.fromEntries(env.filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}
