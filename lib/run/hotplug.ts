import type { Host } from '../host/host.ts';
import { HostError, UsageError } from '../words/errors.ts';
import { type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { QmpClient } from './qmp-client.ts';
import { asObject } from './qmp-text.ts';

/** What a person names to be plugged in or out. */
export type HotplugTarget =
  | { readonly is: 'pci'; readonly address: PciAddress }
  | { readonly is: 'usb'; readonly vendorId: string; readonly productId: string }
  | { readonly is: 'usb-port'; readonly port: string };

/** A USB device of the host as the kernel numbers it, and its node (/dev/bus/usb/BUS/DEVICE). */
export interface UsbDevice {
  readonly bus: number;
  readonly device: number;
  readonly node: string;
}

const USB = '/sys/bus/usb/devices';

/** Reads "01:00.0" or "0000:01:00.0" (PCI), "046d:c52b" (a USB device by its id) or "1-2.3" (what is in that USB port). */
export function parseHotplugTarget(text: string): HotplugTarget {
  const address = parsePciAddress(/^[0-9a-f]{2}:/i.test(text) ? `0000:${text}` : text);
  if (address !== null) return { is: 'pci', address };
  const id = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(text);
  if (id !== null) return { is: 'usb', vendorId: id[1]!.toLowerCase(), productId: id[2]!.toLowerCase() };
  if (/^\d{1,3}-\d{1,3}(?:\.\d{1,3}){0,5}$/.test(text)) return { is: 'usb-port', port: text };
  throw new UsageError(
    `Cannot tell what ${JSON.stringify(text)} is`,
    'A PCI address (0000:01:00.0), a USB id (046d:c52b) or a USB port (1-2.3); passqemu devices shows them',
  );
}

/** The id that a device of the target has in QEMU: always the same, so that a second one of it is refused. */
export function hotplugId(target: HotplugTarget): string {
  const words =
    target.is === 'pci'
      ? target.address
      : target.is === 'usb'
        ? `${target.vendorId}-${target.productId}`
        : target.port;
  return `hot-${target.is}-${words.replace(/[:.]/g, '-')}`;
}

/** Finds the USB device; a HostError where there is none, or more than one of that id. */
export function findUsbDevice(host: Host, target: Exclude<HotplugTarget, { is: 'pci' }>): UsbDevice {
  const names = host.list(USB).filter((name) => /^\d+-[\d.]+$/.test(name));
  const found = names.filter((name) =>
    target.is === 'usb-port'
      ? name === target.port
      : host.readOptional(`${USB}/${name}/idVendor`) === target.vendorId &&
        host.readOptional(`${USB}/${name}/idProduct`) === target.productId,
  );
  const words = target.is === 'usb' ? `the id ${target.vendorId}:${target.productId}` : `port ${target.port}`;
  const [name] = found;
  if (name === undefined) throw new HostError(`Cannot find a USB device with ${words}`, { code: 'ENODEV' });
  if (found.length > 1) {
    throw new HostError(`Cannot tell which USB device is meant: ${found.length} have ${words}`, {
      hint: `Name the port: ${found.join(', ')}`,
    });
  }
  const [bus, device] = [
    Number(host.read(`${USB}/${name}/busnum`)),
    Number(host.read(`${USB}/${name}/devnum`)),
  ];
  const three = (number: number) => String(number).padStart(3, '0');
  return { bus, device, node: `/dev/bus/usb/${three(bus)}/${three(device)}` };
}

/** A root port with nothing behind it; a HostError where all are taken or the board has none. */
export function findFreePort(answer: unknown): string {
  for (const bus of Array.isArray(answer) ? answer : []) {
    const devices = asObject(bus)?.devices;
    for (const entry of Array.isArray(devices) ? devices : []) {
      const device = asObject(entry);
      const bridge = asObject(device?.pci_bridge);
      const id = device?.qdev_id;
      const behind = bridge?.devices;
      const isEmpty = behind === undefined || (Array.isArray(behind) && behind.length === 0);
      if (bridge !== null && typeof id === 'string' && id !== '' && isEmpty) return id;
    }
  }
  throw new HostError('Cannot plug in a PCI function: every root port of the guest has something behind it', {
    hint: 'Detach something first, or give it to the guest in its profile',
  });
}

/** The id in QEMU of a function that the guest has, whoever gave it: QEMU's objects know the host's address. Null where it has none. */
export async function findVfioId(qmp: QmpClient, address: PciAddress): Promise<string | null> {
  const children = await qmp.execute('qom-list', { path: '/machine/peripheral' });
  for (const entry of Array.isArray(children) ? children : []) {
    const child = asObject(entry);
    if (typeof child?.name !== 'string' || typeof child.type !== 'string' || !/vfio-pci/.test(child.type))
      continue;
    const host = await qmp.execute('qom-get', {
      path: `/machine/peripheral/${child.name}`,
      property: 'host',
    });
    if (host === address) return child.name;
  }
  return null;
}

/** The user and group that a process runs as by now (proc(5), Uid and Gid of status, the effective ones). */
export function readProcessUser(host: Host, pid: number): { uid: number; gid: number } {
  const status = host.readOptional(`/proc/${pid}/status`) ?? '';
  const number = (line: RegExp) => Number(line.exec(status)?.[1] ?? 0);
  return { uid: number(/^Uid:\s+\d+\s+(\d+)/m), gid: number(/^Gid:\s+\d+\s+(\d+)/m) };
}
