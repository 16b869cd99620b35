import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { Memory, StepOf } from '../words/step.ts';
import { isVfioDriver } from '../words/vfio-driver.ts';
import { readBarSizes, setBarSizes } from './bar-sizes.ts';
import { blockingHolders } from './blocking-holders.ts';
import { comeHome, findAgain } from './come-home.ts';
import { setBeforeBind, wake } from './power-and-reset.ts';
import type { StepContext, StepKind } from './step-kind.ts';
import { waitUntil } from './wait-until.ts';

/** An override that no driver answers to: the function is left without one, whoever probes (sysfs-bus-pci, driver_override). */
const NO_DRIVER = 'none';
/**
 * How long the users of a function, or a QEMU that is ending, may take to let go: the manager of a user who has logged out, and with it
 * his audio server, stays for ten seconds (UserStopDelaySec= in logind.conf(5)).
 */
const LET_GO_MS = 20_000;
/** A probe is done when the write returns; a driver that probes asynchronously (nvme, bochs) links a little later. */
const LOOK_MS = 5_000;

/**
 * Gives one PCI function to a VFIO driver (or to none) by address: override, unbind, probe, look; and back home the same
 * way, its former override last. See Documentation/ABI/testing/sysfs-bus-pci and Documentation/driver-api/vfio.rst.
 * Success codes say nothing here (drivers_probe succeeds when nothing was bound): only the driver link does.
 */
export const driverKind: StepKind<'driver'> = {
  writesSlowly: true,
  describe: ({ address, driver, ...changes }) =>
    driver === null
      ? `park ${address} without a driver`
      : [`bind ${address} to ${driver}`, ...describeChanges(changes)].join(', '),
  describeUndo: ({ address }, was) =>
    was.driver === null ? `leave ${address} without a driver again` : `give ${address} back to ${was.driver}`,

  observe({ address, barSizes }, { host }) {
    const folder = device(address);
    if (!host.exists(folder))
      throw new HostError(`Cannot find ${address}: no such PCI function`, { code: 'ENODEV', path: folder });
    return {
      driver: host.linkName(`${folder}/driver`),
      override: readOverride(host, address),
      powerControl: host.readOptional(`${folder}/power/control`),
      d3coldAllowed: host.readOptional(`${folder}/d3cold_allowed`),
      resetMethod: host.readOptional(`${folder}/reset_method`),
      ...(barSizes === undefined ? {} : { barSizes: readBarSizes(host, address, Object.keys(barSizes)) }),
    };
  },

  async apply(step, _was, context) {
    const { host } = context;
    const folder = device(step.address);
    const bound = host.linkName(`${folder}/driver`);
    if (bound === step.driver && step.driver !== null) {
      // Claimed for VFIO at boot
      setBeforeBind(host, step);
      if (step.awake === true) await wake(host, step.address);
      return null;
    }
    await refuseWhileHeld(step.address, context);
    setBeforeBind(host, step);
    await override(host, step, step.driver ?? NO_DRIVER);
    if (bound !== null) await unbind(host, step.address, bound, step.deadlineMs);
    if (step.barSizes !== undefined) await setBarSizes(host, step.address, step.barSizes, step.deadlineMs);
    if (step.driver !== null) await probe(host, step.address, step.driver, step.deadlineMs);
    await look(host, step.address, step.driver);
    if (step.awake === true && step.driver !== null) await wake(host, step.address);
    return null;
  },

  async undo(step, was, _got, context) {
    const { host } = context;
    const folder = device(step.address);
    // A killed process may have removed it from the bus to find it anew
    if (!host.exists(folder) && !(await findAgain(host, step.address, step.deadlineMs))) {
      context.note(`${step.address} is gone from the host: nothing to give back`);
      return;
    }
    const bound = host.linkName(`${folder}/driver`);
    const found = readOverride(host, step.address);
    const ours = [step.driver ?? NO_DRIVER, was.driver ?? NO_DRIVER, was.override, ''];
    if (!ours.includes(found) || (bound !== null && bound !== was.driver && !isVfioDriver(bound))) {
      context.note(
        `${step.address} has been given to ${bound ?? 'no driver'} (override "${found}") by somebody else: left so`,
      );
      return;
    }
    if (bound !== was.driver) {
      await waitUntilLetGo(step.address, context);
      // Aimed at home first, so that nobody who probes in between can take it
      await override(host, step, was.driver ?? NO_DRIVER);
      if (bound !== null) await unbind(host, step.address, bound, step.deadlineMs);
      // A guest may have resized them too
      if (was.barSizes !== undefined) await setBarSizes(host, step.address, was.barSizes, step.deadlineMs);
      if (was.driver !== null) await goHome(host, step, was.driver, context.note);
    }
    if (was.barSizes !== undefined && host.linkName(`${folder}/driver`) === null)
      await setBarSizes(host, step.address, was.barSizes, step.deadlineMs);
    putBackAttributes(context, step.address, was);
    // A newline clears it; an empty write would do nothing
    if (readOverride(host, step.address) !== was.override) await override(host, step, was.override);
    await look(host, step.address, was.driver);
  },

  drift({ address, driver }, _was, _got, { host }) {
    const bound = host.linkName(`${device(address)}/driver`);
    return bound === driver
      ? null
      : `${address} is bound to ${bound ?? 'no driver'}, not to ${driver ?? 'none'}`;
  },
};

/** What the profile asks for beyond the bind: the ways to reset it, sizes of BARs. */
function describeChanges({ resetMethod, barSizes = {} }: Pick<StepOf<'driver'>, 'resetMethod' | 'barSizes'>) {
  const sizes = Object.entries(barSizes).map(([index, sizeMib]) => `BAR ${index} of ${sizeMib} MiB`);
  return [
    ...(resetMethod === undefined ? [] : [`to be reset by ${resetMethod.replaceAll(' ', ', ')}`]),
    ...sizes,
  ];
}

function device(address: PciAddress): string {
  return `/sys/bus/pci/devices/${address}`;
}

/** The override, '' when unset: the kernel shows "(null)", some older ones an empty line. */
function readOverride(host: Host, address: PciAddress): string {
  const text = host.readOptional(`${device(address)}/driver_override`) ?? '';
  return text === '(null)' ? '' : text;
}

/** Writes the override; the kernel takes the device's lock for it, so it can block as an unbind does. */
async function override(
  host: Host,
  { address, deadlineMs }: StepOf<'driver'>,
  driver: string,
): Promise<void> {
  await host.writeSlowly(`${device(address)}/driver_override`, `${driver}\n`, deadlineMs);
}

async function unbind(host: Host, address: PciAddress, bound: string, deadlineMs: number): Promise<void> {
  try {
    await host.writeSlowly(`${device(address)}/driver/unbind`, `${address}\n`, deadlineMs);
  } catch (error) {
    // Somebody was faster: it is unbound, which is what we wanted. The link goes before the driver is asked, so where the
    // kernel has not answered it says nothing.
    const isLate = error instanceof HostError && error.code === 'ETIMEDOUT';
    if (!isLate && host.linkName(`${device(address)}/driver`) === null) return;
    throw inWords(error, `Cannot unbind ${address} from ${bound}`);
  }
}

async function probe(host: Host, address: PciAddress, driver: string, deadlineMs: number): Promise<void> {
  try {
    await host.writeSlowly('/sys/bus/pci/drivers_probe', `${address}\n`, deadlineMs);
  } catch (error) {
    throw inWords(error, `Cannot bind ${address} to ${driver}`);
  }
}

async function look(host: Host, address: PciAddress, driver: string | null): Promise<void> {
  const link = `${device(address)}/driver`;
  if (await waitUntil(host, LOOK_MS, () => host.linkName(link) === driver)) return;
  const bound = host.linkName(link);
  throw new HostError(
    driver === null
      ? `Cannot leave ${address} without a driver: ${bound} holds it`
      : `Cannot bind ${address} to ${driver}: the kernel took the request, but it is bound to ${bound ?? 'no driver'}`,
    { path: link, hint: 'The kernel log says why (journalctl -k, dmesg)' },
  );
}

/** Probes for the home driver; a module that was unloaded meanwhile is loaded again. */
async function goHome(
  host: Host,
  step: StepOf<'driver'>,
  home: string,
  note: (line: string) => void,
): Promise<void> {
  const link = `${device(step.address)}/driver`;
  if (!host.exists(`/sys/bus/pci/drivers/${home}`)) {
    await host.run(['modprobe', '--', home], { timeoutMs: step.deadlineMs });
  }
  // Loading a driver probes the functions whose override names it
  if (host.linkName(link) === home) return;
  const ask = () => probe(host, step.address, home, step.deadlineMs);
  await ask();
  // What comes next resets the card: a driver that is only slow must not meet that
  if (await waitUntil(host, Math.max(LOOK_MS, step.deadlineMs), () => host.linkName(link) === home)) return;
  const { address, deadlineMs } = step;
  if (!(await comeHome(host, { address, home, deadlineMs, probe: ask, note })))
    await look(host, step.address, home);
}

/** vfio-pci sets power/control to "auto" on bind and "on" on unbind, whatever it was before. */
function putBackAttributes({ host, note }: StepContext, address: PciAddress, was: Memory<'driver'>): void {
  const pairs: readonly [string, string | null][] = [
    ['power/control', was.powerControl],
    ['d3cold_allowed', was.d3coldAllowed],
    ['reset_method', was.resetMethod],
  ];
  for (const [name, value] of pairs) {
    const path = `${device(address)}/${name}`;
    const now = host.readOptional(path);
    if (value !== null && now === null) note(`${address} has no ${name} any more: it was ${value}`);
    else if (value !== null && now !== value) host.write(path, `${value}\n`);
  }
}

/** An unbind under a process that has the device open may never return: for NVIDIA's driver it is beyond repair. */
async function refuseWhileHeld(address: PciAddress, { host, note }: StepContext): Promise<void> {
  let names: readonly string[] = [];
  const isFree = () => {
    names = blockingHolders(host, address);
    return names.length === 0;
  };
  const tell = () =>
    note(`Waiting ${LET_GO_MS / 1000} s at most for ${names.join(', ')} to let go of ${address}`);
  if (await waitUntil(host, LET_GO_MS, isFree, tell)) return;
  throw new HostError(`Cannot unbind ${address}: it is still held by ${names.join(', ')}`, {
    code: 'EBUSY',
    hint: 'Stop what uses it, then start the guest again',
  });
}

/** Unbinding vfio-pci under an open group blocks until the holder ends, and can no longer be killed then. */
async function waitUntilLetGo(address: PciAddress, { host, note }: StepContext): Promise<void> {
  const group = host.linkName(`${device(address)}/iommu_group`);
  if (group === null) return;
  const node = `/dev/vfio/${group}`;
  const tell = () =>
    note(`Waiting ${LET_GO_MS / 1000} s at most until VFIO group ${group} of ${address} is closed`);
  if (await waitUntil(host, LET_GO_MS, () => host.claimable(node) !== 'busy', tell)) return;
  throw new HostError(`Cannot take ${address} back: its VFIO group ${group} is still open`, {
    code: 'EBUSY',
    path: node,
    hint: `Stop the QEMU that has it (fuser -v ${node}), then run passqemu release again`,
  });
}

function inWords(error: unknown, sentence: string): unknown {
  if (!(error instanceof HostError)) return error;
  const why = error.message.slice(error.message.indexOf(': ') + 2);
  return new HostError(`${sentence}: ${why}`, { code: error.code, path: error.path, cause: error });
}
