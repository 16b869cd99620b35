import { visible } from '../inputs/parsed.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { pciFolder } from './pci-function.ts';

/** A device on a USB bus, hubs included, the bus's own root hub not. */
export interface UsbDevice {
  readonly device: number;
  /** "046d:c31c". */
  readonly id: string;
  readonly name: string | null;
  /** What it is by the classes of its interfaces ("keyboard", "storage"), each once; empty where no class tells. */
  readonly kinds: readonly string[];
  readonly speedMbps: number | null;
  /** Where it is plugged in, as the kernel names it: bus, dash, ports separated by dots ("1-4.2"). */
  readonly port: string;
}

/** One bus of a controller (a controller for USB 3 has two). */
export interface UsbBus {
  readonly bus: number;
  readonly ports: number | null;
  readonly speedMbps: number | null;
  readonly devices: readonly UsbDevice[];
}

/** The buses of a controller and what hangs on them; empty where the function is none or has no driver. See Documentation/ABI/testing/sysfs-bus-usb. */
export function readUsbBuses(host: Host, address: PciAddress): UsbBus[] {
  const folder = pciFolder(address);
  return host
    .list(folder)
    .filter((name) => /^usb\d{1,4}$/.test(name))
    .map((name) => ({
      bus: Number(name.slice(3)),
      ports: readNumber(host, `${folder}/${name}/maxchild`),
      speedMbps: readSpeed(host, `${folder}/${name}`),
      devices: readDevices(host, `${folder}/${name}`, 0).sort((a, b) => a.device - b.device),
    }))
    .sort((a, b) => a.bus - b.bus);
}

/** Devices lie in the folders of the hubs they hang on; USB allows seven tiers. */
function readDevices(host: Host, folder: string, tier: number): UsbDevice[] {
  if (tier > 7) return [];
  return host
    .list(folder)
    .filter((name) => /^\d+-\d+(?:\.\d+)*$/.test(name))
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const device = readNumber(host, `${path}/devnum`);
      const [vendor, product] = [
        host.readOptional(`${path}/idVendor`),
        host.readOptional(`${path}/idProduct`),
      ];
      const below = readDevices(host, path, tier + 1);
      if (device === null || !isId(vendor) || !isId(product)) return below;
      const words = [host.readOptional(`${path}/manufacturer`), host.readOptional(`${path}/product`)];
      const text = visible(words.filter((word) => word !== null && word !== '').join(' '));
      const about = { id: `${vendor}:${product}`, name: text === '' ? null : text };
      const kinds = readKinds(host, path);
      return [{ device, ...about, kinds, speedMbps: readSpeed(host, path), port: name }, ...below];
    });
}

/** By class, or class, subclass and protocol, in hex (https://www.usb.org/defined-class-codes): the longest that fits. */
const KINDS: readonly (readonly [string, string])[] = [
  ['030101', 'keyboard'],
  ['030102', 'mouse'],
  ['03', 'input'],
  ['01', 'sound'],
  ['02', 'modem or network'],
  ['06', 'camera'],
  ['07', 'printer'],
  ['08', 'storage'],
  ['09', 'hub'],
  ['0b', 'smart card reader'],
  ['0e', 'camera'],
  ['10', 'camera and microphone'],
  ['e00101', 'Bluetooth'],
  ['e0', 'wireless'],
];

/** A device has its class itself, or leaves it to its interfaces (folders like "1-2:1.0"). */
function readKinds(host: Host, path: string): string[] {
  const prefixes = [
    { folder: path, before: 'bDevice' },
    ...host
      .list(path)
      .filter((name) => /^\d+-[\d.]+:\d+\.\d+$/.test(name))
      .map((name) => ({ folder: `${path}/${name}`, before: 'bInterface' })),
  ];
  const kinds = prefixes.flatMap(({ folder, before }) => {
    const code = ['Class', 'SubClass', 'Protocol']
      .map((part) => host.readOptional(`${folder}/${before}${part}`) ?? '')
      .join('');
    return KINDS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? [];
  });
  return [...new Set(kinds)];
}

/** "1.5" for the slowest, "480", "20000" (sysfs-bus-usb, speed). */
function readSpeed(host: Host, path: string): number | null {
  const text = host.readOptional(`${path}/speed`);
  return text !== null && /^\d{1,6}(?:\.\d)?$/.test(text) ? Number(text) : null;
}

function readNumber(host: Host, path: string): number | null {
  const text = host.readOptional(path);
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

function isId(text: string | null): boolean {
  return text !== null && /^[0-9a-f]{4}$/.test(text);
}
