import type { LoginSession } from '../host/login-sessions.ts';
import { heldOf, type Step, type StepOf } from '../words/step.ts';
import { refuseClaims, refuseHandover } from './display-checks.ts';
import { type Leavers, sortHolders } from './display-holders.ts';
import { type DisplayInput, type DisplayPart, displaysOf, isOnlyDisplay } from './display-input.ts';
import { describeDisplay, noteTextLogins } from './display-words.ts';
import { firmwareOn } from './firmware-on.ts';

/**
 * Plans how the host lets go of a graphics card: sessions, display manager, units, processes, text consoles, the firmware's frame
 * buffer, modules. The way back is the same backwards, so the display manager comes last. One that does not run gets no step, and
 * so is never started.
 */
export function planDisplay(input: DisplayInput): DisplayPart {
  const none = new Set<number>();
  if (displaysOf(input).length === 0) return { steps: [], refusals: [], notes: [], leaving: none };
  const notes = describeDisplay(input);
  if (!input.wishes.display) return { steps: [], refusals: refuseClaims(input), notes, leaving: none };
  const leavers = sortHolders(input);
  notes.push(...noteTextLogins(input, leavers));
  const all = refuseHandover(input, leavers);
  const left = all.filter(({ id }) => input.holdersMayLeave === true && COMMANDS_MATTER.includes(id));
  notes.push(...left.map(({ summary }) => `${summary}; the prepare-first command must see to that`));
  const refusals = all.filter((one) => !left.includes(one));
  const leaving = new Set(input.picture.holders.map(({ pid }) => pid));
  if (refusals.length > 0) return { steps: [], refusals, notes, leaving };
  if (!input.picture.canRecover)
    notes.push(
      'Nothing gives the display back by itself should this be killed: passqemu hooks install adds what does',
    );
  for (const { comm, pid, unit } of leavers.processes)
    if (unit?.endsWith('.service'))
      notes.push(
        `${comm} (process ${pid}) is of ${unit}, which may start it again: "units = ${unit}" under [handover] stops that too`,
      );
  const steps = [
    ...watchdogSteps(input),
    ...(input.picture.hasSystemd ? systemdSteps(input, leavers) : []),
    ...processSteps(input, leavers),
    ...consoleSteps(input),
    ...firmwareSteps(input),
    ...moduleSteps(input),
  ];
  return { steps, refusals, notes, leaving };
}

/** What a command that runs before may mend, as where another init than systemd has what holds the card. */
const COMMANDS_MATTER = ['holder-stays', 'unknown-manager', 'no-systemd'];

/** libvirt gets two minutes to start its QEMU, so recover before that would find the guest alive. */
const WATCHDOG_S = 130;

/**
 * First of all, so that it is there whatever happens next. The unit's restart runs recover, whether it ran before or not; nobody waits for it,
 * so that recover can start the timer anew.
 */
function watchdogSteps({ picture, guest }: DisplayInput): Step[] {
  if (!picture.canRecover) return [];
  return [
    {
      kind: 'watchdog',
      target: 'recover',
      from: null,
      to: `in ${WATCHDOG_S} s`,
      unit: `passqemu-watchdog-${guest.replaceAll(/[^A-Za-z0-9]/g, (sign) => `_${sign.codePointAt(0)!.toString(16)}`).slice(0, 150)}`,
      argv: ['systemctl', '--no-ask-password', '--no-block', 'restart', 'passqemu-recover.service'],
      afterSeconds: WATCHDOG_S,
    },
  ];
}

function systemdSteps(input: DisplayInput, leavers: Leavers): Step[] {
  return [
    ...sessionSteps(input, leavers),
    ...managerSteps(input, leavers),
    ...leavers.greeters.map((session) => sessionStep(input, session)),
    ...leavers.units.map((unit) => unitStep(input, unit)),
  ];
}

/** Whoever only has a text console keeps the session: it holds nothing. */
function sessionSteps(input: DisplayInput, { sessions }: Leavers): Step[] {
  const holding = new Set(input.picture.holders.map(({ session }) => session));
  return sessions
    .filter(({ id, type }) => holding.has(id) || type !== 'tty')
    .map((session) => sessionStep(input, session));
}

function sessionStep({ wishes }: DisplayInput, { id, user, uid }: LoginSession): StepOf<'session'> {
  return {
    kind: 'session',
    target: `session ${id}`,
    from: user,
    to: 'ended',
    id,
    user,
    cgroup: `/user.slice/user-${uid}.slice/session-${id}.scope`,
    timeoutMs: wishes.timeoutMs,
  };
}

/** Also where another guest has stopped it already: whoever is last starts it again. */
function managerSteps(input: DisplayInput, { needsManager, sessions }: Leavers): Step[] {
  const { manager } = input.picture;
  if (manager === null) return [];
  const isHeld = heldOf(input.held, 'unit').some(({ step }) => step.unit === manager.unit);
  const isAsked = needsManager || sessions.length > 0 || isOnlyDisplay(input);
  if (!isHeld && !(manager.isRunning && isAsked)) return [];
  const step = unitStep(input, { unit: manager.unit, user: null, cgroup: manager.cgroup, restart: true });
  const functions = displaysOf(input).map(({ address }) => address);
  return [isOnlyDisplay(input) ? { ...step, functions } : step];
}

function unitStep({ wishes }: DisplayInput, unit: Leavers['units'][number]): StepOf<'unit'> {
  return {
    kind: 'unit',
    target: unit.unit,
    from: 'running',
    to: 'stopped',
    ...unit,
    timeoutMs: wishes.timeoutMs,
  };
}

function processSteps({ wishes }: DisplayInput, { processes }: Leavers): Step[] {
  return processes.map(({ pid, startTicks, comm }) => ({
    kind: 'process',
    target: `process ${pid}`,
    from: comm,
    to: 'ended',
    pid,
    startTicks,
    comm,
    timeoutMs: wishes.timeoutMs,
  }));
}

/** The console driver for frame buffers serves all of them: it is left alone where another card has one. */
function consoleSteps(input: DisplayInput): Step[] {
  const { consoles, frameBuffers } = input.picture;
  const taken = new Set(input.taken.map(({ address }) => address));
  const firmware = firmwareOn(input);
  const isOurs = ({ address }: (typeof frameBuffers)[number]) =>
    address === null ? firmware.length > 0 : taken.has(address);
  if (frameBuffers.length === 0 || !frameBuffers.every(isOurs)) return [];
  return consoles
    .filter(({ isFrameBuffer, bound }) => isFrameBuffer && bound)
    .map(({ id, name }) => ({
      kind: 'console',
      target: id,
      from: 'bound',
      to: 'unbound',
      name,
      functions: displaysOf(input).map(({ address }) => address),
      deadlineMs: input.deadlineMs,
    }));
}

function firmwareSteps(input: DisplayInput): Step[] {
  return firmwareOn(input).map(({ device, driver }) => ({
    kind: 'framebuffer',
    target: device,
    from: driver,
    to: null,
    device,
    driver: driver!,
    functions: displaysOf(input).map(({ address }) => address),
    deadlineMs: input.deadlineMs,
  }));
}

/**
 * Only NVIDIA's: their unbind waits for users of the card for ever, and in newer drivers no user can let go any more; their
 * unload fails at once. Unloading takes all of the driver's cards, so all must be the guest's.
 */
function moduleSteps({ wishes, picture, taken }: DisplayInput): Step[] {
  const functions = picture.driverFunctions.get('nvidia') ?? [];
  const stack = picture.modules.get('nvidia') ?? [];
  const gone = new Set(taken.map(({ address }) => address));
  if (wishes.modules === 'keep' || functions.length === 0 || !functions.every((one) => gone.has(one)))
    return [];
  return stack.map(({ name }, index) => ({
    kind: 'unload',
    target: name,
    from: 'loaded',
    to: 'not loaded',
    name,
    functions: index === stack.length - 1 ? functions : [],
    timeoutMs: wishes.timeoutMs,
  }));
}
