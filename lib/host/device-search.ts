import type { DeviceIdentity, DeviceSelector } from '../inputs/profile.ts';
import { comparePciAddresses, type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { pciFolder } from './pci-function.ts';
import { listPciAddresses } from './pci-tree.ts';

/** The functions that a selector of the profile fits, in the order of their addresses; `index` is not looked at. Only what the selector asks about is read. */
export function findFunctions(host: Host, selector: DeviceSelector): PciAddress[] {
  switch (selector.by) {
    case 'address':
      return host.exists(pciFolder(selector.address)) ? [selector.address] : [];
    case 'identity':
      return listPciAddresses(host).filter((address) => isIdentical(host, address, selector.identity));
    case 'class':
      return listPciAddresses(host).filter((address) =>
        hasHex(host, address, 'class', selector.classPrefix, 'prefix'),
      );
    case 'mac':
      return inOrder(findByMac(host, selector.mac));
    case 'serial':
      return inOrder(findBySerial(host, selector.serial));
  }
}

function isIdentical(host: Host, address: PciAddress, identity: DeviceIdentity): boolean {
  const { vendorId, deviceId, subsystemVendorId, subsystemId } = identity;
  return (
    hasHex(host, address, 'device', deviceId) &&
    hasHex(host, address, 'vendor', vendorId) &&
    (subsystemVendorId === null || hasHex(host, address, 'subsystem_vendor', subsystemVendorId)) &&
    (subsystemId === null || hasHex(host, address, 'subsystem_device', subsystemId))
  );
}

function hasHex(host: Host, address: PciAddress, name: string, digits: string, prefix?: 'prefix'): boolean {
  const text = (host.readOptional(`${pciFolder(address)}/${name}`) ?? '').toLowerCase();
  return prefix === undefined ? text === `0x${digits}` : text.startsWith(`0x${digits}`);
}

/** By the permanent address: a bond gives all its ports the same one and keeps the port's own beside it. */
function findByMac(host: Host, mac: string): (PciAddress | null)[] {
  return host.list('/sys/class/net').map((name) => {
    const folder = `/sys/class/net/${name}`;
    const own =
      host.readOptional(`${folder}/bonding_slave/perm_hwaddr`) ?? host.readOptional(`${folder}/address`);
    return own?.toLowerCase() === mac ? innermost(host.realPath(folder)) : null;
  });
}

/** By the serial number that an NVMe controller or a disk tells, or that udev has found (ID_SERIAL_SHORT). */
function findBySerial(host: Host, serial: string): (PciAddress | null)[] {
  const controllers = host.list('/sys/class/nvme').map((name) => {
    const folder = `/sys/class/nvme/${name}`;
    return host.readOptional(`${folder}/serial`)?.trim() === serial ? innermost(host.realPath(folder)) : null;
  });
  const disks = host.list('/sys/block').map((name) => {
    const folder = `/sys/block/${name}`;
    const told = ['serial', 'device/serial'].some(
      (file) => host.readOptional(`${folder}/${file}`)?.trim() === serial,
    );
    const found = told || udevSerial(host, host.readOptional(`${folder}/dev`)) === serial;
    return found ? innermost(host.realPath(folder)) : null;
  });
  return [...controllers, ...disks];
}

function udevSerial(host: Host, rdev: string | null): string | null {
  const facts = rdev === null ? null : host.readOptional(`/run/udev/data/b${rdev}`);
  return /^E:ID_SERIAL_SHORT=(.+)$/m.exec(facts ?? '')?.[1] ?? null;
}

/** The function nearest to a device on its path. */
function innermost(path: string | null): PciAddress | null {
  const parts = path?.split('/').reverse() ?? [];
  for (const part of parts) {
    const address = parsePciAddress(part);
    if (address === part) return address;
  }
  return null;
}

function inOrder(found: readonly (PciAddress | null)[]): PciAddress[] {
  return [...new Set(found.filter((address) => address !== null))].sort(comparePciAddresses);
}
