import type { Domain } from '../inputs/domain.ts';
import type { GuestXml } from '../inputs/guest-xml.ts';
import type { Profile } from '../inputs/profile.ts';
import type { Refusal } from '../words/errors.ts';
import type { Seen } from '../words/seen.ts';
import type { Host, PathFacts } from './host.ts';

/** One guest's wishes; what of them is there, `readGuestSurroundings` tells. */
export interface GuestWishes {
  readonly guest: string;
  readonly profile: Profile | null;
  readonly domain: Domain | null;
  readonly xml: GuestXml | null;
  /** Why the planner would not start it now. */
  readonly refusals: Seen<readonly Refusal[]>;
  /** Why its QEMU would not be started now; null where the profile describes no guest: then it is one of libvirt's. */
  readonly run: Seen<readonly Refusal[]> | null;
}

/** The same with what this host has of it. */
export interface GuestCheckup extends GuestWishes {
  /** Files, disks and event devices that the XML names; null where there is no such path. */
  readonly paths: ReadonlyMap<string, Seen<PathFacts | null>>;
  /** ROM files: whether they begin as an option ROM does (55 aa, PCI Firmware Specification). */
  readonly romsBegin: ReadonlyMap<string, boolean>;
  readonly usb: Seen<readonly UsbIdentity[]>;
}

/** A USB device that is plugged in. */
export interface UsbIdentity {
  readonly vendorId: string;
  readonly productId: string;
  readonly bus: number;
  readonly device: number;
}

/** Looks for what the guest's XML names; of a recorded machine only what is recorded can be found. */
export function readGuestSurroundings(host: Host, wishes: GuestWishes, isRoot: boolean): GuestCheckup {
  const { xml } = wishes;
  const roms = (xml?.roms ?? []).flatMap(({ file }) => file ?? []);
  const named = [
    ...(xml?.disks ?? []).map(({ source }) => source),
    ...(xml?.evdev ?? []),
    ...roms,
    ...[xml?.loader?.path, xml?.nvram?.template, xml?.emulator].filter((path) => path != null),
  ].filter((path) => path.startsWith('/'));
  return {
    ...wishes,
    paths: new Map(named.map((path) => [path, lookForPath(host, path, isRoot)])),
    romsBegin: new Map(roms.flatMap((path) => readRomBegin(host, path))),
    usb: readUsbIdentities(host),
  };
}

/** Null is "not there"; a folder that we may not search hides what is in it. */
function lookForPath(host: Host, path: string, isRoot: boolean): Seen<PathFacts | null> {
  const facts = host.stat(path, 'follow');
  if (facts !== null) return { value: facts };
  if (host.root !== '/') return { unseen: `the recorded machine does not have ${path}` };
  for (let end = path.lastIndexOf('/'); end > 0 && !isRoot; end = path.lastIndexOf('/', end - 1)) {
    const folder = host.stat(path.slice(0, end), 'follow');
    if (folder === null) continue;
    return (folder.mode & 0o001) === 0
      ? { unseen: `${path.slice(0, end)} cannot be searched (EACCES)` }
      : { value: null };
  }
  return { value: null };
}

function readRomBegin(host: Host, path: string): [string, boolean][] {
  try {
    const bytes = host.readBytes(path, 2);
    return [[path, bytes[0] === 0x55 && bytes[1] === 0xaa]];
  } catch {
    return [];
  }
}

function readUsbIdentities(host: Host): Seen<readonly UsbIdentity[]> {
  const folder = '/sys/bus/usb/devices';
  if (!host.exists(folder)) return { unseen: `${folder} is not there` };
  return {
    value: host.list(folder).flatMap((name) => {
      if (name.includes(':')) return [];
      const text = (file: string) => host.readOptional(`${folder}/${name}/${file}`) ?? '';
      const [vendorId, productId] = [text('idVendor'), text('idProduct')];
      const [bus, device] = [Number(text('busnum')), Number(text('devnum'))];
      return /^[0-9a-f]{4}$/.test(vendorId) && /^[0-9a-f]{4}$/.test(productId)
        ? [{ vendorId, productId, bus, device }]
        : [];
    }),
  };
}
