import { readHeldSteps } from '../lib/apply/held.ts';
import { readSummary } from '../lib/apply/summary.ts';
import { type BlockDevice, readBlockDevices } from '../lib/host/block-devices.ts';
import { readDeviceNodes } from '../lib/host/device-nodes.ts';
import { findHolders, nodeKey } from '../lib/host/holders.ts';
import type { Host } from '../lib/host/host.ts';
import { readUses } from '../lib/host/in-use.ts';
import { readIommu, readIommuGroup } from '../lib/host/iommu.ts';
import { readInterfaces } from '../lib/host/network.ts';
import type { PciBar } from '../lib/host/pci-bars.ts';
import type { PciFunction } from '../lib/host/pci-function.ts';
import { readPciNames } from '../lib/host/pci-names.ts';
import { type PciTree, readPciTree } from '../lib/host/pci-tree.ts';
import { readUsbBuses, type UsbBus } from '../lib/host/usb.ts';
import type { Use } from '../lib/host/uses.ts';
import { blocksGroup } from '../lib/plan/group-rule.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import { pciKind } from '../lib/words/pci-class.ts';
import { type HeldStep, heldOf } from '../lib/words/step.ts';

/** An IOMMU group: `viable` says whether VFIO could open it as its members are bound now, `blockers` who prevents that. */
export interface GroupReport {
  readonly id: number;
  readonly addresses: readonly PciAddress[];
  readonly viable: boolean;
  readonly blockers: readonly { readonly address: PciAddress; readonly driver: string | null }[];
}

/** One function, as `devices --json` prints it (cli.md). */
export interface DeviceReport {
  readonly address: PciAddress;
  readonly vendorId: string | null;
  readonly deviceId: string | null;
  readonly subsystemVendorId: string | null;
  readonly subsystemId: string | null;
  readonly classCode: string | null;
  readonly name: string | null;
  readonly driver: string | null;
  readonly driverOverride: string;
  readonly isBridge: boolean;
  /** The bridge it hangs on; null on a root bus. */
  readonly parent: PciAddress | null;
  /** Names of its network interfaces and of its disks. */
  readonly interfaces: readonly string[];
  readonly disks: readonly string[];
  readonly group: number | null;
  readonly node: number | null;
  readonly bootVga: boolean;
  readonly resetMethods: readonly string[];
  readonly resettable: boolean;
  readonly bars: readonly PciBar[];
  readonly sriov: PciFunction['sriov'];
  readonly physicalFunction: PciAddress | null;
  readonly virtualFunctions: readonly PciAddress[];
  readonly powerState: string | null;
  readonly usb: readonly UsbBus[] | null;
  readonly heldBy: string | null;
  readonly heldByKnown: boolean;
  readonly inUse: readonly Omit<Use, 'address'>[];
  readonly openBy: readonly {
    readonly pid: number;
    readonly comm: string;
    readonly unit: string | null;
    readonly node: string;
  }[];
}

/** All of the machine's functions and groups. */
export interface DevicesReport {
  readonly iommu: { readonly enabled: boolean; readonly units: readonly string[] };
  readonly groups: readonly GroupReport[];
  readonly devices: readonly DeviceReport[];
}

/** Reads the report of the whole machine. */
export function readDevicesReport(host: Host, stateDir: string): DevicesReport {
  const { held, wedged, complete } = readHeldSteps(host, stateDir);
  const tree = readPciTree(host, wedged);
  // What hangs on a bridge is told of the function it belongs to
  const addresses = [...tree.values()].filter(({ isBridge }) => !isBridge).map(({ address }) => address);
  const names = readPciNames(host, tree.values());
  const guests = complete ? guestsOf(held) : readGuests(host, stateDir);
  const uses = groupByAddress(readUses(host, addresses));
  const interfaces = groupByAddress(readInterfaces(host, addresses));
  const disks = groupByAddress(readDisks(host, addresses));
  const openBy = readOpenBy(host, addresses);
  return {
    iommu: readIommu(host),
    groups: readGroups(host, tree),
    devices: [...tree.values()].map(({ path: _path, isVfio: _isVfio, d3coldAllowed: _d3, ...fn }) => ({
      ...fn,
      name: names(fn),
      usb: pciKind(fn.classCode) === 'usb' ? readUsbBuses(host, fn.address) : null,
      heldBy: guests?.get(fn.address) ?? null,
      heldByKnown: guests !== null,
      interfaces: (interfaces.get(fn.address) ?? []).map(({ name }) => name),
      disks: (disks.get(fn.address) ?? []).map(({ name }) => name),
      inUse: (uses.get(fn.address) ?? []).map(({ address: _address, ...use }) => use),
      openBy: openBy.get(fn.address) ?? [],
    })),
  };
}

function groupByAddress<T extends { readonly address: PciAddress }>(
  values: readonly T[],
): Map<PciAddress, T[]> {
  const groups = new Map<PciAddress, T[]>();
  for (const value of values) {
    const group = groups.get(value.address);
    if (group === undefined) groups.set(value.address, [value]);
    else group.push(value);
  }
  return groups;
}

/** Whole disks: partitions lie in the folders of theirs. */
function readDisks(host: Host, addresses: readonly PciAddress[]): readonly BlockDevice[] {
  const found = readBlockDevices(host, addresses);
  const paths = new Set(found.map(({ path }) => path));
  return found.filter(({ path }) => !paths.has(path.slice(0, path.lastIndexOf('/'))));
}

function readGroups(host: Host, tree: PciTree): GroupReport[] {
  return host
    .list('/sys/kernel/iommu_groups')
    .filter((name) => /^\d{1,9}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
    .map((id) => {
      const addresses = readIommuGroup(host, id);
      const blockers = addresses
        .filter((address) => !tree.has(address) || blocksGroup(tree.get(address)!))
        .map((address) => ({ address, driver: tree.get(address)?.driver ?? null }));
      return { id, addresses, viable: addresses.length > 0 && blockers.length === 0, blockers };
    });
}

function guestsOf(held: readonly HeldStep[]): ReadonlyMap<string, string> {
  return new Map(heldOf(held, 'driver').map(({ guest, step }) => [step.address, guest]));
}

/** Which guest holds which function, for who may not read the journals: by the summary beside them; null where that does not tell. */
function readGuests(host: Host, stateDir: string): ReadonlyMap<string, string> | null {
  const summary = readSummary(host, stateDir);
  if (summary === null) return null;
  return new Map(
    summary.guests.flatMap(({ guest, steps }) =>
      steps.filter(({ kind }) => kind === 'driver').map(({ target }) => [target, guest] as const),
    ),
  );
}

function readOpenBy(
  host: Host,
  addresses: readonly PciAddress[],
): ReadonlyMap<PciAddress, DeviceReport['openBy']> {
  const nodes = readDeviceNodes(host, addresses);
  const { holders } = findHolders(host, nodes);
  const found = new Map<PciAddress, DeviceReport['openBy'][number][]>();
  for (const node of nodes) {
    const key = nodeKey(node);
    for (const { pid, comm, unit } of holders.filter((holder) => holder.key === key)) {
      const list = found.get(node.address) ?? [];
      list.push({ pid, comm, unit, node: node.path });
      found.set(node.address, list);
    }
  }
  return found;
}
