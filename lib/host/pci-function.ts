import { comparePciAddresses, type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import { isVfioDriver } from '../words/vfio-driver.ts';
import type { Host } from './host.ts';
import { type PciBar, parsePciBars } from './pci-bars.ts';

/** One PCI function as sysfs shows it; null is "not known", never a guess. See Documentation/ABI/testing/sysfs-bus-pci. */
export interface PciFunction {
  readonly address: PciAddress;
  /** Its folder below /sys/devices, all links followed; what hangs on it lies below. */
  readonly path: string | null;
  /** The bridge it hangs on; null on a root bus. */
  readonly parent: PciAddress | null;
  /** Four hex digits each. */
  readonly vendorId: string | null;
  readonly deviceId: string | null;
  readonly subsystemVendorId: string | null;
  readonly subsystemId: string | null;
  /** Six hex digits: base class, subclass, programming interface. */
  readonly classCode: string | null;
  /** A header of type 1 or 2: VFIO takes only type 0. */
  readonly isBridge: boolean;
  readonly driver: string | null;
  /** Bound to a driver that gives it to user space. */
  readonly isVfio: boolean;
  /** '' when unset. */
  readonly driverOverride: string;
  readonly group: number | null;
  readonly node: number | null;
  readonly bootVga: boolean;
  /** In the order in which the kernel would try them. */
  readonly resetMethods: readonly string[];
  readonly resettable: boolean;
  readonly bars: readonly PciBar[];
  readonly sriov: { readonly total: number; readonly enabled: number } | null;
  readonly physicalFunction: PciAddress | null;
  readonly virtualFunctions: readonly PciAddress[];
  readonly powerState: string | null;
  readonly d3coldAllowed: boolean | null;
}

/** The folder of a function on the PCI bus. */
export function pciFolder(address: PciAddress): string {
  return `/sys/bus/pci/devices/${address}`;
}

/** What the kernel shows only under the function's lock (drivers/pci/pci-sysfs.c, iov.c: device_lock). */
const UNDER_LOCK = ['driver_override', 'sriov_totalvfs', 'sriov_numvfs'];

/**
 * Reads one function; null where there is none, or where it went away while we looked. Of one that is `wedged` (its lock is
 * held by a write that does not end) only what is shown without the lock.
 */
export function readPciFunction(host: Host, address: PciAddress, wedged = false): PciFunction | null {
  const folder = pciFolder(address);
  // One listing instead of a question for each file that may not be there
  const names = new Set(host.list(folder).filter((name) => !wedged || !UNDER_LOCK.includes(name)));
  const text = (name: string) => (names.has(name) ? host.readOptional(`${folder}/${name}`) : null);
  const link = (name: string) => (names.has(name) ? host.linkName(`${folder}/${name}`) : null);
  const hex = (name: string, digits: number) => parseHex(text(name), digits);

  const vendorId = hex('vendor', 4);
  const deviceId = hex('device', 4);
  const classCode = hex('class', 6);
  if (vendorId === null && deviceId === null && classCode === null) return null;

  const driver = link('driver');
  const path = host.realPath(folder);
  const methods = text('reset_method')
    ?.split(' ')
    .filter((method) => method !== '');
  const override = text('driver_override') ?? '';
  return {
    address,
    path,
    parent: parsePciAddress(path?.split('/').at(-2) ?? ''),
    vendorId,
    deviceId,
    subsystemVendorId: hex('subsystem_vendor', 4),
    subsystemId: hex('subsystem_device', 4),
    classCode,
    isBridge: names.has('secondary_bus_number') || /^060[479]/.test(classCode ?? ''),
    driver,
    isVfio: isVfioDriver(driver) || (driver !== null && names.has('vfio-dev')),
    driverOverride: override === '(null)' ? '' : override,
    group: parseCount(link('iommu_group')),
    node: parseCount(text('numa_node')),
    bootVga: text('boot_vga') === '1',
    resetMethods: methods ?? [],
    // Kernels before 5.15 do not tell the methods, only that there is one
    resettable: methods === undefined ? names.has('reset') : methods.length > 0,
    bars: parsePciBars(text('resource') ?? '', (index) => names.has(`resource${index}_resize`)),
    sriov: readSriov(text),
    physicalFunction: parsePciAddress(link('physfn') ?? ''),
    virtualFunctions: [...names]
      .filter((name) => /^virtfn\d+$/.test(name))
      .map((name) => parsePciAddress(link(name) ?? ''))
      .filter((one) => one !== null)
      .sort(comparePciAddresses),
    powerState: text('power_state'),
    d3coldAllowed: parseFlag(text('d3cold_allowed')),
  };
}

function readSriov(text: (name: string) => string | null): PciFunction['sriov'] {
  const total = parseCount(text('sriov_totalvfs'));
  if (total === null || total === 0) return null;
  return { total, enabled: parseCount(text('sriov_numvfs')) ?? 0 };
}

function parseHex(text: string | null, digits: number): string | null {
  const value = text?.startsWith('0x') ? text.slice(2).toLowerCase() : '';
  return value.length === digits && /^[0-9a-f]+$/.test(value) ? value : null;
}

function parseCount(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function parseFlag(text: string | null): boolean | null {
  return text === '1' ? true : text === '0' ? false : null;
}
