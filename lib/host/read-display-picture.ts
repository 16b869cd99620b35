import { comparePciAddresses, type PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { readAudioSockets } from './audio-sockets.ts';
import { readCgroupOf } from './cgroups.ts';
import type { DisplayCard, DisplayHolder, DisplayManager, DisplayPicture } from './display-picture.ts';
import {
  cardOf,
  type FirmwareFrameBuffer,
  readFirmwareFrameBuffers,
  readFrameBuffers,
} from './frame-buffers.ts';
import type { Holder } from './holders.ts';
import type { Host } from './host.ts';
import { type LoginSession, readLoginSessions, readUserName } from './login-sessions.ts';
import { readModuleStack } from './module-facts.ts';
import { pciFolder } from './pci-function.ts';
import { listPciAddresses, parseAddresses } from './pci-tree.ts';
import { parseStartTicks } from './start-ticks.ts';
import { isSystemd } from './systemd.ts';
import { hasProcesses } from './unit-cgroup.ts';
import { readVtConsoles } from './vt-consoles.ts';

/** Reads what hangs on the host's displays: cards and screens, consoles, frame buffers, sessions, and who `holders` of the taken functions are. */
export function readDisplayPicture(
  host: Host,
  taken: readonly PciAddress[],
  holders: readonly Holder[],
): DisplayPicture {
  const drivers = taken
    .map((address) => host.linkName(`${pciFolder(address)}/driver`))
    .filter((name) => name !== null);
  const named = [...new Set(drivers)];
  const sessions = readLoginSessions(host);
  const firmware = readFirmwareFrameBuffers(host);
  return {
    cards: readCards(host, firmware),
    consoles: readVtConsoles(host),
    frameBuffers: readFrameBuffers(host, firmware),
    firmware,
    holders: describeHolders(host, holders),
    sessions,
    manager: readDisplayManager(host, sessions),
    modules: new Map(named.map((driver) => [driver, readStack(host, driver)])),
    driverFunctions: new Map(
      named.map((driver) => [driver, parseAddresses(host.list(`/sys/bus/pci/drivers/${driver}`))]),
    ),
    hasSystemd: isSystemd(host),
    canRecover: isSystemd(host) && host.exists('/etc/systemd/system/passqemu-recover.service'),
    ownCgroup: readCgroupOf(host, 'self') ?? '/',
  };
}

function readCards(host: Host, firmware: readonly FirmwareFrameBuffer[]): DisplayCard[] {
  const connectors = readConnectors(host, firmware);
  return listPciAddresses(host)
    .map((address) => ({
      address,
      classCode: (host.readOptional(`${pciFolder(address)}/class`) ?? '').slice(2),
    }))
    .filter(({ classCode }) => pciKind(classCode) === 'display')
    .sort((one, other) => comparePciAddresses(one.address, other.address))
    .map((card) => ({
      ...card,
      driver: host.linkName(`${pciFolder(card.address)}/driver`),
      bootVga: host.readOptional(`${pciFolder(card.address)}/boot_vga`) === '1',
      connectors: connectors.get(card.address) ?? [],
    }));
}

/** The connectors of each card, "card0-HDMI-A-1". See Documentation/gpu/drm-uapi.rst. */
function readConnectors(
  host: Host,
  firmware: readonly FirmwareFrameBuffer[],
): Map<PciAddress, DisplayCard['connectors'][number][]> {
  const found = new Map<PciAddress, DisplayCard['connectors'][number][]>();
  for (const entry of host.list('/sys/class/drm')) {
    const name = /^card\d+-(.+)$/.exec(entry)?.[1];
    const path = host.realPath(`/sys/class/drm/${entry}`) ?? '';
    const address = name === undefined ? null : cardOf(path, firmware);
    if (name === undefined || address === null) continue;
    const connected = host.readOptional(`/sys/class/drm/${entry}/status`) === 'connected';
    found.set(address, [...(found.get(address) ?? []), { name, connected }]);
  }
  return found;
}

function readStack(host: Host, driver: string) {
  const module = host.linkName(`/sys/bus/pci/drivers/${driver}/module`);
  return module === null ? [] : readModuleStack(host, module);
}

/** Each process once, whatever it has open. */
function describeHolders(host: Host, holders: readonly Holder[]): DisplayHolder[] {
  const byPid = new Map(holders.map((one) => [one.pid, one]));
  return [...byPid.values()].map(({ pid, comm }) => {
    const cgroup = readCgroupOf(host, `${pid}`) ?? '/';
    const uid = host.stat(`/proc/${pid}`)?.uid ?? 0;
    const place = placeInCgroups(cgroup, (id) => readUserName(host, id));
    return {
      pid,
      comm,
      startTicks: parseStartTicks(host.readOptional(`/proc/${pid}/stat`)) ?? -1,
      user: readUserName(host, uid),
      cgroup,
      ...place,
      ...lingersOf(host, place.userUnit),
      ...socketsOf(host, place.userUnit),
    };
  });
}

function lingersOf(host: Host, userUnit: DisplayHolder['userUnit']): Pick<DisplayHolder, 'lingers'> {
  const stays = userUnit !== null && host.exists(`/var/lib/systemd/linger/${userUnit.user}`);
  return stays ? { lingers: true } : {};
}

/** An audio server of a user's: what would start it again while the guest has the card. */
function socketsOf(host: Host, userUnit: DisplayHolder['userUnit']): Pick<DisplayHolder, 'sockets'> {
  const server = /^(?:(pulseaudio)|pipewire.*|wireplumber)\.service$/.exec(userUnit?.unit ?? '');
  if (userUnit === null || server === null) return {};
  return {
    sockets: readAudioSockets(host, userUnit.uid, server[1] === undefined ? 'pipewire' : 'pulseaudio'),
  };
}

/** What a cgroup's path says: a unit of the system, a login session, or a unit of a user's own manager. */
export function placeInCgroups(
  cgroup: string,
  userName: (uid: number) => string,
): Pick<DisplayHolder, 'unit' | 'session' | 'userUnit'> {
  const none = { unit: null, session: null, userUnit: null };
  const session = /^\/user\.slice\/user-\d{1,10}\.slice\/session-([A-Za-z0-9]+)\.scope(?:\/|$)/.exec(
    cgroup,
  )?.[1];
  if (session !== undefined) return { ...none, session };
  const own = /^\/user\.slice\/user-\d{1,10}\.slice\/user@(\d{1,10})\.service(\/.*)?$/.exec(cgroup);
  if (own !== null) {
    const uid = Number(own[1]);
    const unit = unitsIn(own[2] ?? '').at(-1) ?? null;
    return unit === null
      ? { ...none, unit: `user@${uid}.service` }
      : { ...none, userUnit: { unit, uid, user: userName(uid) } };
  }
  // Below a folder that is no slice there is another systemd, a container's, whose units are not this one's
  const slices = cgroup.split('/').filter((part) => part !== '');
  const first = slices.find((part) => !part.endsWith('.slice')) ?? '';
  return { ...none, unit: unitsIn(first)[0] ?? null };
}

function unitsIn(path: string): string[] {
  return path.split('/').filter((part) => /^[\w:@.\\-]+\.(?:service|scope)$/.test(part));
}

/** The unit behind the alias, whatever it is called; without one, that whose name a session on a seat was made under. */
function readDisplayManager(host: Host, sessions: readonly LoginSession[]): DisplayManager | null {
  const found = (unit: string): DisplayManager => {
    const cgroup = `/system.slice/${unit}`;
    return { unit, cgroup, isRunning: hasProcesses(host, cgroup) };
  };
  for (const folder of ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system']) {
    const unit = host.linkName(`${folder}/display-manager.service`);
    if (unit !== null && /^[\w:@.\\-]+\.service$/.test(unit)) return found(unit);
  }
  for (const { seat, service } of sessions) {
    const name = /^([a-z0-9]+?)[0-9]?(?:-[a-z-]+)?$/.exec(seat === null ? '' : (service ?? ''))?.[1];
    if (name === undefined) continue;
    const manager = found(`${name}.service`);
    if (manager.isRunning) return manager;
  }
  return null;
}
