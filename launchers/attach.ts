import { extendGuest, shrinkGuest } from '../lib/apply/extend.ts';
import { heldSteps } from '../lib/apply/journal.ts';
import type { Journal } from '../lib/apply/journal-text.ts';
import { readRunGuest } from '../lib/apply/run-guest.ts';
import { wedgedFunctions } from '../lib/apply/wedged.ts';
import { readDevicePicture } from '../lib/host/read-device-picture.ts';
import { watchSignals } from '../lib/host/signals.ts';
import { planDevices } from '../lib/plan/devices.ts';
import {
  findFreePort,
  findUsbDevice,
  findVfioId,
  type HotplugTarget,
  hotplugId,
  parseHotplugTarget,
  readProcessUser,
} from '../lib/run/hotplug.ts';
import type { LaunchRecord } from '../lib/run/launch-record.ts';
import type { QmpClient } from '../lib/run/qmp-client.ts';
import { HostError, RefusedError, UsageError } from '../lib/words/errors.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import type { Step } from '../lib/words/step.ts';
import { VERSION } from '../lib/words/version.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { findLaunched, launchStateDir, talkTo } from './launched.ts';
import { LOCK_WAIT_MS } from './prepare.ts';
import { watchingReport } from './watching-report.ts';

/** How long the guest's driver may take to let go of a device. */
const LET_GO_MS = 30_000;

interface Hotplug {
  readonly record: LaunchRecord;
  readonly target: HotplugTarget;
  readonly qmp: QmpClient;
  readonly globals: Globals;
}

/** `passqemu attach <guest> <device>`: takes it from the host as prepare does, and plugs it in; what QEMU does not take goes back at once. */
export async function attach(line: CommandLine, globals: Globals): Promise<number> {
  const interrupted = watchSignals();
  return withQemu(line, globals, async (hotplug) => {
    const { record, target, qmp } = hotplug;
    const id = hotplugId(target);
    const user = readProcessUser(globals.host, record.qemu.pid);
    const device = target.is === 'pci' ? null : findUsbDevice(globals.host, target);
    const bus = target.is === 'pci' ? { bus: findFreePort(await qmp.execute('query-pci')) } : {};
    const plan = (journals: readonly Journal[]) => [
      ...(target.is === 'pci' ? planFunction(target.address, record.guest, journals, globals) : []),
      ...(user.uid === 0 ? [] : [nodeStep(nodeOf(target, device?.node ?? '', globals), user)]),
    ];
    const owner = { kind: 'launcher', ...record.launcher } as const;
    await extendGuest(
      globals.host,
      { ...requestOf(hotplug), owner, version: VERSION, plan, interrupted },
      watchingReport(globals, record.guest, 'attach'),
    );
    try {
      const properties =
        target.is === 'pci'
          ? { driver: 'vfio-pci', host: target.address, ...bus }
          : { driver: 'usb-host', hostbus: device?.bus, hostaddr: device?.device };
      await qmp.execute('device_add', { ...properties, id });
    } catch (error) {
      await giveBack(hotplug, device?.node ?? null);
      throw error;
    }
    return 'plugged in';
  });
}

/** `passqemu detach <guest> <device>`: asks the guest to let go, waits for it, and gives back what was taken. */
export async function detach(line: CommandLine, globals: Globals): Promise<number> {
  watchSignals();
  return withQemu(line, globals, async (hotplug) => {
    const { record, target, qmp } = hotplug;
    const id = target.is === 'pci' ? await findVfioId(qmp, target.address) : hotplugId(target);
    if (id === null) throw new HostError(`Cannot unplug it: ${record.guest} does not have ${line.words[1]}`);
    const gone = qmp.waitFor(({ name, data }) => name === 'DEVICE_DELETED' && data.device === id, LET_GO_MS);
    await qmp.execute('device_del', { id });
    if ((await gone) === null) {
      throw new HostError(
        `Cannot unplug ${line.words[1]}: the guest has not let go within ${LET_GO_MS / 1000} s`,
        {
          hint: 'Its driver must be loaded and idle; nothing was changed, detach may be tried again',
        },
      );
    }
    const node = target.is === 'pci' ? null : findUsbDevice(globals.host, target).node;
    await giveBack(hotplug, node);
    return 'unplugged';
  });
}

async function withQemu(
  line: CommandLine,
  globals: Globals,
  act: (hotplug: Hotplug) => Promise<string>,
): Promise<number> {
  const target = parseHotplugTarget(line.words[1] ?? '');
  const record = findLaunched(line.words[0] ?? '', globals);
  const qmp = await talkTo(record, globals, 'qmp');
  try {
    const done = await act({ record, target, qmp, globals });
    globals.out(
      globals.json
        ? JSON.stringify({ guest: record.guest, device: line.words[1], done })
        : `${line.words[1]} is ${done} (${record.guest})`,
    );
    return 0;
  } finally {
    qmp.close();
  }
}

function requestOf({ record, globals }: Hotplug) {
  return { stateDir: launchStateDir(globals), guest: record.guest, lockWaitMs: LOCK_WAIT_MS };
}

/** The steps that take one function, by the rules of prepare and the options of the guest's profile. */
function planFunction(
  address: PciAddress,
  guest: string,
  journals: readonly Journal[],
  { host, configDir }: Globals,
): readonly Step[] {
  const profile = readRunGuest(host, configDir, guest)?.inputs.profile;
  if (profile === undefined)
    throw new UsageError(
      `Cannot read the profile of ${guest}: there is none in ${configDir}`,
      'Give --config-dir as to run',
    );
  const request = { label: address, selector: { by: 'address', address } as const, identity: null };
  const picture = readDevicePicture(host, [request], [], wedgedFunctions(host, journals));
  const wishes = { ...profile.devices, requests: [request] };
  const { steps, refusals } = planDevices({
    wishes,
    domainFunctions: [],
    picture,
    held: heldSteps(journals),
  });
  if (refusals.length > 0) throw new RefusedError(`Cannot give ${address} to ${guest}`, refusals);
  return steps;
}

/** The node that QEMU opens for it: that of the IOMMU group, or the USB device's own. */
function nodeOf(target: HotplugTarget, usbNode: string, { host }: Globals): string {
  if (target.is !== 'pci') return usbNode;
  return `/dev/vfio/${host.linkName(`/sys/bus/pci/devices/${target.address}/iommu_group`) ?? ''}`;
}

function nodeStep(path: string, { uid, gid }: { uid: number; gid: number }): Step {
  return { kind: 'node', path, uid, gid, target: path, from: null, to: String(uid) };
}

/** Gives back what was taken for this device: the function with those of its group that were parked for it, and its node. */
async function giveBack(hotplug: Hotplug, usbNode: string | null): Promise<void> {
  const { target, globals, record } = hotplug;
  const { host } = globals;
  const groupOf = (address: PciAddress) => host.linkName(`/sys/bus/pci/devices/${address}/iommu_group`);
  const group = target.is === 'pci' ? groupOf(target.address) : null;
  const isMeant = (step: Step): boolean => {
    if (step.kind === 'node') return step.path === (usbNode ?? `/dev/vfio/${group}`);
    if (step.kind !== 'driver' || target.is !== 'pci') return false;
    // Another function of the group may be the guest's by its profile: only parked ones go with this one
    return step.address === target.address || (step.driver === null && groupOf(step.address) === group);
  };
  await shrinkGuest(host, requestOf(hotplug), isMeant, watchingReport(globals, record.guest, 'detach'));
}
