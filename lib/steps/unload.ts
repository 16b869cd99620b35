import type { Host } from '../host/host.ts';
import { readModuleParameters } from '../host/module-facts.ts';
import { pciFolder } from '../host/pci-function.ts';
import { HostError } from '../words/errors.ts';
import type { Memory, StepOf } from '../words/step.ts';
import { moduleFolderName } from '../words/vfio-driver.ts';
import { awaitLateRun } from './late-run.ts';
import type { StepContext, StepKind } from './step-kind.ts';
import { refuseWhileTaken } from './still-taken.ts';
import { waitUntil } from './wait-until.ts';

/** A module that comes back probes its functions; some drivers do it a little later. */
const LOOK_MS = 10_000;

/**
 * Unloads a module (rmmod(8)), where that is the only question that does not hang: NVIDIA's unbind waits for ever for a user of
 * the card, its unload fails at once and says so. Undo loads it with the parameters it had, and sees that it has its functions.
 */
export const unloadKind: StepKind<'unload'> = {
  writesSlowly: true,
  describe: ({ name }) => `unload the module ${name}`,
  describeUndo: ({ name }, was) =>
    was.loaded ? `load the module ${name} again` : `leave the module ${name} out`,

  observe: ({ name, functions }, { host }) => ({
    loaded: isLoaded(host, name),
    parameters: readModuleParameters(host, name),
    drivers: Object.fromEntries(functions.map((address) => [address, driverOf(host, address)])),
  }),

  async apply(step, was, { host }) {
    if (!was.loaded) return { certain: true };
    const { stderr, timedOut } = await host.run(rmmod(step), { timeoutMs: step.timeoutMs });
    if (!isLoaded(host, step.name)) return { certain: true };
    const why = timedOut ? `rmmod has not ended within ${step.timeoutMs / 1000} s` : lastLine(stderr);
    throw new HostError(`Cannot unload the module ${step.name}: ${why}`, {
      code: 'EBUSY',
      path: `/sys/module/${step.name}`,
      hint: 'Something still uses the card: see passqemu devices, then start the guest again',
    });
  },

  async undo(step, was, got, context) {
    const { host, note } = context;
    if (got?.certain !== true) await awaitLateRun(host, rmmod(step));
    if (!was.loaded) return;
    refuseWhileTaken(`load the module ${step.name} again`, step.functions, context);
    if (!isLoaded(host, step.name)) await loadAsItWas(host, step, was);
    mendParameters(step, was, context);
    for (const [address, driver] of Object.entries(was.drivers)) {
      if (driver === null || !host.exists(pciFolder(address as never))) continue;
      const isHome = () => driverOf(host, address) === driver;
      if (!isHome() && driverOf(host, address) === null)
        await host.writeSlowly('/sys/bus/pci/drivers_probe', `${address}\n`, step.timeoutMs);
      if (await waitUntil(host, LOOK_MS, isHome)) continue;
      const bound = driverOf(host, address);
      if (bound !== null) note(`${address} has been given to ${bound} by somebody else: left so`);
      else
        throw new HostError(
          `Cannot give ${address} back to ${driver}: the module is loaded but does not take it`,
          {
            hint: 'The kernel log says why (journalctl -k, dmesg)',
          },
        );
    }
  },

  settle: () => ({ certain: false }),
  drift: ({ name }, was, _got, { host }) =>
    was.loaded && isLoaded(host, name) ? `the module ${name} is loaded again` : null,
};

function rmmod({ name }: StepOf<'unload'>): readonly string[] {
  return ['rmmod', '--', name];
}

/** The files of modprobe.d give it most of its parameters; where that is not all, it is loaded anew with what is missing. */
async function loadAsItWas(host: Host, step: StepOf<'unload'>, was: Memory<'unload'>): Promise<void> {
  await load(host, step, []);
  const missing = differing(host, step, was).filter(([, value]) => !/\s/.test(value));
  if (missing.length === 0) return;
  await host.run(rmmod(step), { timeoutMs: step.timeoutMs });
  if (isLoaded(host, step.name)) return;
  try {
    await load(
      host,
      step,
      missing.map(([key, value]) => `${key}=${value}`),
    );
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // A parameter that it shows but does not take
    await load(host, step, []);
  }
}

function differing(host: Host, { name }: StepOf<'unload'>, was: Memory<'unload'>): [string, string][] {
  const now = readModuleParameters(host, name);
  return Object.entries(was.parameters).filter(([key, value]) => now[key] !== value);
}

async function load(
  host: Host,
  { name, timeoutMs }: StepOf<'unload'>,
  words: readonly string[],
): Promise<void> {
  const { stderr, timedOut } = await host.run(['modprobe', '--', name, ...words], { timeoutMs });
  if (isLoaded(host, name)) return;
  const why = timedOut ? `modprobe has not ended within ${timeoutMs / 1000} s` : lastLine(stderr);
  throw new HostError(`Cannot load the module ${name} again: ${why}`, { path: `/sys/module/${name}` });
}

/** What is still different is written where the kernel lets it be. */
function mendParameters(step: StepOf<'unload'>, was: Memory<'unload'>, { host, note }: StepContext): void {
  for (const [key, value] of differing(host, step, was)) {
    try {
      host.write(`/sys/module/${moduleFolderName(step.name)}/parameters/${key}`, `${value}\n`);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      note(`${step.name} had ${key}=${value} and cannot be given it again: ${error.code ?? 'refused'}`);
    }
  }
}

function isLoaded(host: Host, name: string): boolean {
  return host.exists(`/sys/module/${moduleFolderName(name)}`);
}

function driverOf(host: Host, address: string): string | null {
  return host.linkName(`/sys/bus/pci/devices/${address}/driver`);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) || 'it is in use';
}
