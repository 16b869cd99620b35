import { SYSTEM_PATH } from '../host/system-path.ts';
import type { RunPlan, RunThreads } from '../qemu/run-plan.ts';
import type { CpuSet } from '../words/cpu-list.ts';
import { runFiles } from './companions.ts';
import type { LifeTimes } from './life.ts';
import { type Launch, monitorArguments, sparePorts } from './run-guest.ts';
import type { RealtimeWish, ThreadWishes } from './threads.ts';
import { planWrapper, type WrapperInput } from './wrapper.ts';

/** What beside the plan decides how QEMU is started. */
export interface LaunchInput {
  readonly stateDir: string;
  readonly place: WrapperInput['place'];
  /** The caller's own variables; the few that a window or a sound server needs are handed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly times: LifeTimes;
}

/** What QEMU needs of the session of whoever starts it: its screen, its sound, its language. */
const SESSION = [
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'XDG_SESSION_TYPE',
  'DBUS_SESSION_BUS_ADDRESS',
  'PULSE_SERVER',
  'PIPEWIRE_REMOTE',
  'HOME',
  'LANG',
];

/** How a planned guest is started: what it runs in, its limits, its environment, where its threads go. */
export function launchOf(plan: RunPlan, input: LaunchInput): Launch {
  return {
    guest: plan.guest,
    stateDir: input.stateDir,
    wrapper: wrapperOf(plan, input.place),
    argv: plan.argv,
    env: { ...sessionOf(input.env), PATH: SYSTEM_PATH, LC_NUMERIC: 'C', ...plan.environment },
    files: plan.descriptors,
    leftovers: runFiles(plan),
    wishes: wishesOf(plan.threads),
    times: input.times,
  };
}

/** The command line as people see it: works when pasted, and then runs the guest without a launcher. */
export function printedArgv(
  plan: RunPlan,
  { stateDir, place }: Pick<LaunchInput, 'stateDir' | 'place'>,
): string[] {
  return [
    ...wrapperOf(plan, place),
    ...plan.argv,
    ...sparePorts(plan.argv),
    ...monitorArguments(stateDir, plan.guest),
  ];
}

/** Every CPU on which a thread runs in real time; `online` where it is pinned to none. */
export function realtimeCpus(threads: RunThreads, online: CpuSet): CpuSet {
  if (threads.wholeProcess !== null) return threads.wholeProcess;
  if (threads.realTime === null) return [];
  return threads.vcpus.some((cpus) => cpus === null)
    ? online
    : [...new Set(threads.vcpus.flatMap((cpus) => cpus ?? []))];
}

/** Where each thread is wanted; none where the whole process is placed as one. */
export function wishesOf(threads: RunThreads): ThreadWishes {
  const vcpus = new Map<number, CpuSet>();
  const realtime = new Map<number, RealtimeWish>();
  const iothreads = new Map<string, CpuSet>();
  if (threads.wholeProcess !== null) return { vcpus, iothreads, emulator: null, realtime };
  const wish = realtimeOf(threads);
  for (const [vcpu, cpus] of threads.vcpus.entries()) {
    if (cpus !== null) vcpus.set(vcpu, cpus);
    if (wish !== null) realtime.set(vcpu, wish);
  }
  for (const { id, cpus } of threads.iothreads) iothreads.set(id, cpus);
  return { vcpus, iothreads, emulator: threads.emulator, realtime };
}

function wrapperOf(plan: RunPlan, place: WrapperInput['place']): string[] {
  const { wholeProcess, emulator } = plan.threads;
  const givesUpRoot = plan.user !== null;
  return planWrapper({
    guest: plan.guest,
    place,
    memlockKib: givesUpRoot && plan.lockedKib > 0 ? plan.lockedKib : null,
    noNewPrivileges: givesUpRoot,
    whole: {
      cpus: wholeProcess ?? (touchesMemory(plan) ? null : emulator),
      realtime: wholeProcess === null ? null : (realtimeOf(plan.threads) ?? { policy: 'rr', priority: 1 }),
    },
  });
}

/** Memory that is filled at the start is filled by threads on all CPUs: on the emulator's few it would take long. */
function touchesMemory({ argv }: RunPlan): boolean {
  return argv.some((word) => word.includes('prealloc=on'));
}

function realtimeOf({ realTime }: RunThreads): RealtimeWish | null {
  if (realTime === null) return null;
  return { policy: realTime.policy === 'fifo' ? 'fifo' : 'rr', priority: realTime.priority };
}

function sessionOf(env: LaunchInput['env']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of SESSION) {
    const value = env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
