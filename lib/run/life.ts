import type { QmpEvent } from './qmp-text.ts';

/** How patient the guest's life is. */
export interface LifeTimes {
  /** How long a guest may take to power down after it was asked. */
  readonly stopMs: number;
  /** How long QEMU may take to quit. */
  readonly quitMs: number;
}

/** How long a guest may take to power down, and QEMU to quit, where nobody says. */
export const STOP_TIMES: LifeTimes = { stopMs: 60_000, quitMs: 10_000 };

/**
 * Where a guest stands. `asked`: how often it was told to end. `urgent`: nobody is there to insist, so time does. `presses`: how often
 * the power button is still to be pressed for a guest that may not hear it yet.
 */
export interface Life {
  readonly phase: 'running' | 'paused' | 'asleep' | 'off';
  readonly asked: 0 | 1 | 2 | 3;
  readonly urgent: boolean;
  readonly presses: number;
}

/** What comes to it: an event of QEMU's, a person's wish to end it, somebody's order to end it, the end of a wait. */
export type LifeInput =
  | { readonly is: 'event'; readonly event: QmpEvent }
  | { readonly is: 'ask' }
  | { readonly is: 'order' }
  | { readonly is: 'time' };

/** What is to be done about it, in this order. `wait` replaces the wait before. */
export type LifeAction =
  | { readonly do: 'wake' | 'continue' | 'powerdown' | 'quit' | 'kill' | 'look after threads' }
  | { readonly do: 'say'; readonly line: string }
  | { readonly do: 'wait'; readonly ms: number };

export const BORN: Life = { phase: 'running', asked: 0, urgent: false, presses: 0 };

/** Where a guest stands by QEMU's word for it (query-status, RunState of qapi/run-state.json), for whoever comes to it later. */
export function phaseOf(status: string): Life['phase'] {
  if (status === 'suspended') return 'asleep';
  if (status === 'shutdown') return 'off';
  return status === 'paused' || status === 'io-error' ? 'paused' : 'running';
}

/**
 * The life of a guest that runs, as a function: the first wish asks the guest to power down (ACPI), the second ends QEMU, the third
 * kills it. A person is told what insisting will do; where only an order came (SIGTERM of systemd), time insists.
 */
export function stepLife(
  life: Life,
  input: LifeInput,
  times: LifeTimes,
): { life: Life; actions: LifeAction[] } {
  if (input.is === 'event') return hear(life, input.event, times);
  if (input.is === 'ask') return insist(life, times);
  if (input.is === 'order') {
    const urgent = { ...life, urgent: true };
    return life.asked === 0 ? insist(urgent, times) : { life: urgent, actions: [] };
  }
  if (life.asked === 1 && life.presses > 0) {
    const pressed = { ...life, presses: life.presses - 1 };
    return { life: pressed, actions: [{ do: 'powerdown' }, { do: 'wait', ms: PRESS_MS }] };
  }
  if (life.urgent || life.asked === 2) return insist(life, times);
  if (life.asked !== 1) return { life, actions: [] };
  const line = `The guest has not powered down within ${times.stopMs / 1000} s: it may not listen to the power button; ${AGAIN}`;
  return { life, actions: [{ do: 'say', line }] };
}

/** How often a guest that has just begun or woken up is asked: it hears the button when its system has it again (ACPI, PM1 enable). */
const PRESS_MS = 3_000;

const AGAIN = 'once more ends QEMU at once, as if the plug were pulled';

/** One step further towards the end. */
function insist(life: Life, { stopMs, quitMs }: LifeTimes): { life: Life; actions: LifeAction[] } {
  if (life.asked === 0) {
    const next: Life = { ...life, asked: 1 };
    const said: LifeAction = { do: 'say', line: `Asked the guest to power down; ${AGAIN}` };
    return { life: next, actions: [said, ...powerDown(life), { do: 'wait', ms: stopMs }] };
  }
  if (life.asked === 1) {
    return {
      life: { ...life, asked: 2 },
      actions: [{ do: 'say', line: 'Ending QEMU' }, { do: 'quit' }, { do: 'wait', ms: quitMs }],
    };
  }
  const said: LifeAction = { do: 'say', line: 'QEMU does not end: killing it' };
  return {
    life: { ...life, asked: 3 },
    actions: life.asked === 2 ? [said, { do: 'kill' }] : [{ do: 'kill' }],
  };
}

/** A guest that sleeps does not see the button: it is woken, and asked when it is awake. One that is paused could not answer. */
function powerDown({ phase }: Life): LifeAction[] {
  if (phase === 'asleep') return [{ do: 'wake' }];
  return phase === 'paused' ? [{ do: 'continue' }, { do: 'powerdown' }] : [{ do: 'powerdown' }];
}

function hear(
  life: Life,
  { name, data }: QmpEvent,
  { stopMs }: LifeTimes,
): { life: Life; actions: LifeAction[] } {
  const say = (line: string, phase = life.phase, ...more: LifeAction[]) => ({
    life: { ...life, phase },
    actions: [{ do: 'say' as const, line }, ...more],
  });
  // What it was asked before is forgotten
  const anew = (phase: Life['phase'], ...actions: LifeAction[]): { life: Life; actions: LifeAction[] } => ({
    life: { ...life, phase, presses: life.asked === 1 ? Math.ceil(stopMs / PRESS_MS) : 0 },
    actions: life.asked === 1 ? [...actions, { do: 'wait', ms: PRESS_MS }] : actions,
  });
  switch (name) {
    case 'RESET':
      // Threads stay those they are; what the guest's firmware makes of its devices is new
      return data.guest === true
        ? anew('running', { do: 'say', line: 'The guest reboots' }, { do: 'look after threads' })
        : anew(life.phase, { do: 'look after threads' });
    case 'SUSPEND':
      return say(
        'The guest sleeps (S3); its keyboard, its power button or passqemu monitor (system_wakeup) wake it',
        'asleep',
      );
    case 'SUSPEND_DISK':
      return say('The guest has written its memory to its disk and goes off (S4)');
    case 'WAKEUP':
      return anew('running', { do: 'say', line: 'The guest is awake' });
    case 'STOP':
      return life.phase === 'running' && life.asked < 2
        ? say('The guest is paused', 'paused')
        : { life, actions: [] };
    case 'RESUME':
      return life.phase === 'paused' ? say('The guest goes on', 'running') : { life, actions: [] };
    case 'SHUTDOWN':
      return say(shutdownWords(data.reason), 'off');
    case 'GUEST_PANICKED':
      return say('The guest has crashed (it says so itself)');
    case 'BLOCK_IO_ERROR':
      return say(
        `A disk of the guest fails: ${words(data.device)}, ${words(data.operation)}: ${words(data.reason)}`,
      );
    default:
      return { life, actions: [] };
  }
}

/** Reasons of QEMU's ShutdownCause (qapi/run-state.json). */
function shutdownWords(reason: unknown): string {
  const known = new Map([
    ['guest-shutdown', 'The guest has shut down'],
    ['guest-reset', 'The guest wanted to reboot, and ends as the profile has it'],
    ['guest-panic', 'The guest has crashed and is ended'],
    ['host-qmp-quit', 'QEMU was told to quit'],
    ['host-signal', 'QEMU was told to quit by a signal'],
    ['host-ui', 'Its window was closed'],
    ['host-error', 'QEMU ends because of an error'],
  ]);
  return known.get(words(reason)) ?? 'The guest ends';
}

/** A short word of QEMU's own. */
function words(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[^\x20-\x7e]/g, ' ').slice(0, 100) : '?';
}
