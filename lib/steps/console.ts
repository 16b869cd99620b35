import type { Host } from '../host/host.ts';
import { findVtConsole } from '../host/vt-consoles.ts';
import { HostError } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';
import { refuseWhileTaken } from './still-taken.ts';
import { waitUntil } from './wait-until.ts';

/** A graphics driver that comes back makes its frame buffer a little later. */
const COME_BACK_MS = 5_000;
const LOOK_MS = 2_000;

/**
 * Takes the text consoles off the frame buffers, so that the card's driver can go, and puts them back. Only a console driver
 * that can be unbound, "(M)", is ever written to. See Documentation/driver-api/console.rst.
 */
export const consoleKind: StepKind<'console'> = {
  writesSlowly: true,
  describe: ({ name }) => `take the text consoles off ${name}`,
  describeUndo: ({ name }, was) =>
    was.bound ? `give the text consoles back to ${name}` : `leave ${name} without text consoles`,

  observe: ({ name }, { host }) => ({ bound: findVtConsole(host, name)?.bound === true }),

  async apply(step, was, { host }) {
    if (was.bound) await set(host, step, false);
    return null;
  },

  async undo(step, was, _got, context) {
    const { host, note } = context;
    if (!was.bound) return;
    refuseWhileTaken(`give the text consoles back to ${step.name}`, step.functions, context);
    // It goes with the last frame buffer, and comes with the first
    if (!(await waitUntil(host, COME_BACK_MS, () => findVtConsole(host, step.name) !== null))) {
      note(`There is no ${step.name} for the text consoles any more: they come back with the next one`);
      return;
    }
    if (findVtConsole(host, step.name)?.bound === false) await set(host, step, true);
  },

  drift: ({ name }, was, _got, { host }) =>
    was.bound && findVtConsole(host, name)?.bound === true ? `the text consoles are on ${name} again` : null,
};

async function set(host: Host, { name, deadlineMs }: StepOf<'console'>, bound: boolean): Promise<void> {
  const found = findVtConsole(host, name);
  if (found === null || found.bound === bound) return;
  await host.writeSlowly(`/sys/class/vtconsole/${found.id}/bind`, bound ? '1\n' : '0\n', deadlineMs);
  if (await waitUntil(host, LOOK_MS, () => (findVtConsole(host, name)?.bound ?? bound) === bound)) return;
  throw new HostError(
    `Cannot ${bound ? 'give the text consoles back to' : 'take the text consoles off'} ${name}: the kernel took the request, but ${found.id} is ${bound ? 'not bound' : 'still bound'}`,
    { path: `/sys/class/vtconsole/${found.id}/bind` },
  );
}
