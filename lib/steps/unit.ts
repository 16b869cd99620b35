import type { Host, RunResult } from '../host/host.ts';
import { hasProcesses } from '../host/unit-cgroup.ts';
import { HostError } from '../words/errors.ts';
import { heldOf, type Memory, type StepOf } from '../words/step.ts';
import { awaitLateRun } from './late-run.ts';
import type { StepContext, StepKind } from './step-kind.ts';
import { refuseWhileDark } from './still-taken.ts';
import { findTriggers } from './unit-triggers.ts';
import { waitUntil } from './wait-until.ts';

/** From systemd's answer to the end of the last process, and from a start to the first. */
const LOOK_MS = 5_000;
/** Ten seconds more than a unit has to stop before systemd kills it, unless it asks for more (DefaultTimeoutStopSec= in systemd-system.conf(5)). */
const STOP_MS = 100_000;

/**
 * Stops a unit that has the display or the card (systemctl(1)) together with what would start it again, and starts both again if
 * it ran. Held while any guest holds it: the first one remembers whether it ran, the last one out starts it. One that did not run
 * is never started.
 */
export const unitKind: StepKind<'unit'> = {
  describe: (step) => `stop ${nameOf(step)}`,
  describeUndo: (step, was) =>
    was.running && step.restart ? `start ${nameOf(step)} again` : `leave ${nameOf(step)} as it is`,

  observe: (step, context) => ofOthers(step, context) ?? { running: hasProcesses(context.host, step.cgroup) },

  async ask(step, was, context) {
    if (!was.running || !step.restart || ofOthers(step, context) !== null) return was;
    const triggers = await findTriggers(context.host, systemctl(step), step.unit, step.timeoutMs);
    return triggers.length > 0 ? { ...was, triggers } : was;
  },

  async apply(step, was, { host, note }) {
    const others = othersOf(step, was);
    if (!hasProcesses(host, step.cgroup) && others.length === 0) return { certain: true };
    const { status, stderr, timedOut } = await call(host, step, 'stop', [...others, step.unit]);
    const containers = step.containers ?? [];
    const remains = () => [step.cgroup, ...containers].find((cgroup) => hasProcesses(host, cgroup));
    if (status === 0 && (await waitUntil(host, LOOK_MS, () => remains() === undefined))) {
      if (was.triggers !== undefined)
        note(`Stopped with ${step.unit}, because it would start it again: ${was.triggers.join(', ')}`);
      return { certain: true };
    }
    const container = containers.find((cgroup) => cgroup === remains());
    const why = timedOut
      ? `it has not ended within ${step.timeoutMs / 1000} s`
      : status !== 0
        ? lastLine(stderr)
        : container === undefined
          ? 'systemd says that it has, but it still has processes'
          : `it has, but its container ${container.slice(container.lastIndexOf('/') + 1)} runs on`;
    const hint =
      container === undefined
        ? `See what holds it up or starts it again (systemctl status ${step.unit}, systemctl show -p TriggeredBy,UpheldBy ${step.unit})`
        : 'Switch live-restore off in its configuration, or stop the container with a prepare-first command';
    throw new HostError(`Cannot stop ${nameOf(step)}: ${why}`, { hint });
  },

  async undo(step, was, got, context) {
    const { host, note } = context;
    if (ofOthers(step, context) !== null) return;
    const isCertain = got?.certain === true;
    const others = othersOf(step, was);
    const all = [...others, step.unit];
    if (!isCertain) await awaitLateRun(host, argvOf(step, 'stop', all), STOP_MS);
    if (!was.running || !step.restart) return;
    // Started before its card is there, it may not look for it later
    refuseWhileDark(`start ${nameOf(step)} again`, step.functions ?? [], context);
    const runs = () => hasProcesses(host, step.cgroup);
    // One that is being stopped runs too: only where the stop has come to its end does that mean that it stays
    if (isCertain && runs()) {
      if (others.length === 0) return;
      const { status, stderr } = await call(host, step, 'start', others);
      if (status !== 0)
        note(
          `${step.unit} runs already, so ${others.join(', ')} cannot be started again: ${lastLine(stderr)}`,
        );
      return;
    }
    // Its start comes behind its end, however long a stop that was too slow for us still takes
    const timeoutMs = runs() ? Math.max(step.timeoutMs, STOP_MS) : step.timeoutMs;
    if (runs())
      note(`${nameOf(step)} may still be on its way out: it gets ${timeoutMs / 1000} s to start again`);
    let answer = await call(host, step, 'start', all, timeoutMs);
    if (answer.status !== 0 && !answer.timedOut) {
      // It may have been started too often (StartLimitBurst= in systemd.unit(5))
      await call(host, step, 'reset-failed', all);
      // A socket does not start while its service runs, as one whose stop was cut short may
      const verb = others.length > 0 && runs() ? 'restart' : 'start';
      answer = await call(host, step, verb, all);
    }
    if (answer.status === 0 && (await waitUntil(host, LOOK_MS, runs))) return;
    const why = answer.timedOut
      ? `it has not started within ${timeoutMs / 1000} s`
      : answer.status === 0
        ? 'systemd says that it has, but it has no process'
        : lastLine(answer.stderr);
    throw new HostError(`Cannot start ${nameOf(step)} again: ${why}`, {
      hint: `See why (journalctl -u ${step.unit}), then run passqemu release again`,
    });
  },

  // A call to systemd that a killed process has sent may still be on its way
  settle: () => ({ certain: false }),

  drift: (step, _was, _got, { host }) =>
    hasProcesses(host, step.cgroup) ? `${nameOf(step)} runs again` : null,
};

function nameOf({ unit, user, sockets = [] }: StepOf<'unit'>): string {
  return user === null ? unit : `${[unit, ...sockets].join(', ')} of ${user}`;
}

/** What the first of the other guests that hold the unit has seen; null where none does. */
function ofOthers({ unit, user }: StepOf<'unit'>, { others }: StepContext): Memory<'unit'> | null {
  const held = heldOf(others, 'unit');
  return held.find(({ step }) => step.unit === unit && step.user === user)?.was ?? null;
}

/** What goes and comes with it: what the plan names and what was found beside. */
function othersOf({ sockets = [] }: StepOf<'unit'>, { triggers = [] }: Memory<'unit'>): readonly string[] {
  return [...new Set([...sockets, ...triggers])];
}

function systemctl({ user }: StepOf<'unit'>): readonly string[] {
  const manager = user === null ? [] : ['--user', `--machine=${user}@.host`];
  return ['systemctl', '--no-ask-password', ...manager];
}

function argvOf(step: StepOf<'unit'>, verb: string, units: readonly string[]): readonly string[] {
  return [...systemctl(step), verb, '--', ...units];
}

function call(
  host: Host,
  step: StepOf<'unit'>,
  verb: string,
  units: readonly string[],
  timeoutMs = step.timeoutMs,
): Promise<RunResult> {
  return host.run(argvOf(step, verb, units), { timeoutMs });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) || 'systemctl failed';
}
