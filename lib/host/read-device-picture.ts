import type { DomainFunction } from '../inputs/domain.ts';
import type { DeviceRequest } from '../inputs/profile.ts';
import { type PciAddress, pciSlot } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { moduleFolderName } from '../words/vfio-driver.ts';
import { chosenOf, isMeant } from './device-identity.ts';
import { readDeviceNodes } from './device-nodes.ts';
import type { DevicePicture } from './device-picture.ts';
import { findFunctions } from './device-search.ts';
import { findHolders } from './holders.ts';
import type { Host } from './host.ts';
import { readUses } from './in-use.ts';
import { readIommu, readIommuGroup } from './iommu.ts';
import { type ModuleState, readModuleStates } from './kernel-modules.ts';
import { type PciFunction, readPciFunction } from './pci-function.ts';
import { listPciAddresses } from './pci-tree.ts';
import { isSilent } from './silent-function.ts';
import { readBestVfioDrivers, readDriverOfModule, type VfioDriver } from './vfio-drivers.ts';

/**
 * Reads what the planner of devices must know, and no more: the functions that the profile and the domain name, their groups and
 * cards, who uses them; of `wedged` ones what can be read without waiting. Selectors other than an address look through all functions, at the one file they ask about.
 */
export function readDevicePicture(
  host: Host,
  requests: readonly DeviceRequest[],
  domainFunctions: readonly DomainFunction[],
  wedged: ReadonlySet<PciAddress> = new Set(),
): DevicePicture {
  const candidates = requests.map(({ selector }) => findFunctions(host, selector));
  const chosen = requests.flatMap(({ selector }, index) => chosenOf(selector, candidates[index]!) ?? []);
  const named = [...new Set([...chosen, ...domainFunctions.map(({ address }) => address)])];
  const functions = new Map<PciAddress, PciFunction>();
  const groups = new Map<number, readonly PciAddress[]>();
  const read = (address: PciAddress): void => {
    if (functions.has(address)) return;
    const fn = readPciFunction(host, address, wedged.has(address));
    if (fn !== null) functions.set(address, fn);
  };
  for (const address of named) read(address);
  for (const { group } of [...functions.values()]) {
    if (group === null || groups.has(group)) continue;
    groups.set(group, readIommuGroup(host, group));
    for (const member of groups.get(group)!) read(member);
  }
  const touched = [...functions.keys()];
  for (const mate of slotMates(host, named)) read(mate);

  const nodes = touched.length === 0 ? [] : readDeviceNodes(host, touched);
  const { holders, unseen } = findHolders(host, nodes);
  const vfioDrivers = chooseDrivers(host, functions, named, domainFunctions);
  return {
    iommu: named.length === 0 || readIommu(host).enabled,
    candidates,
    elsewhere: requests.map((request, index) => lookElsewhere(host, request, candidates[index]!, functions)),
    functions,
    groups,
    uses: readUses(host, touched),
    nodes,
    holders: holders.filter(({ comm }) => !isPassing(comm)),
    unseen,
    vfioDrivers,
    modules: readModules(host, vfioDrivers),
    silent: new Set(
      named.filter((one) => isCard(functions.get(one)) && !wedged.has(one) && isSilent(host, one)),
    ),
    vendorReset: named.length > 0 && host.exists('/sys/module/vendor_reset'),
  };
}

function isCard(fn: PciFunction | undefined): boolean {
  return fn !== undefined && pciKind(fn.classCode) === 'display';
}

function slotMates(host: Host, named: readonly PciAddress[]): PciAddress[] {
  if (named.length === 0) return [];
  const slots = new Set(named.map(pciSlot));
  return listPciAddresses(host).filter((address) => slots.has(pciSlot(address)));
}

function lookElsewhere(
  host: Host,
  { identity }: DeviceRequest,
  candidates: readonly PciAddress[],
  functions: ReadonlyMap<PciAddress, PciFunction>,
): readonly PciAddress[] {
  if (identity === null) return [];
  const here = candidates.map((address) => functions.get(address));
  if (here.length > 0 && here.every((fn) => fn !== undefined && isMeant(fn, identity))) return [];
  return findFunctions(host, { by: 'identity', identity, index: null });
}

/** The domain's own wish (<driver model=''>) before what fits best. */
function chooseDrivers(
  host: Host,
  functions: ReadonlyMap<PciAddress, PciFunction>,
  named: readonly PciAddress[],
  domainFunctions: readonly DomainFunction[],
): ReadonlyMap<PciAddress, VfioDriver> {
  const present = named.map((address) => functions.get(address)).filter((fn) => fn !== undefined);
  const wishes = new Map(domainFunctions.map(({ address, driver }) => [address, driver]));
  const bound = present.filter(({ isVfio }) => !isVfio);
  const best = readBestVfioDrivers(host, bound);
  return new Map(
    bound.map(({ address }, index) => {
      const wish = wishes.get(address) ?? null;
      return [
        address,
        wish === null
          ? best[index]!
          : { driver: readDriverOfModule(host, wish), module: moduleFolderName(wish) },
      ];
    }),
  );
}

function readModules(
  host: Host,
  drivers: ReadonlyMap<PciAddress, VfioDriver>,
): ReadonlyMap<string, ModuleState> {
  if (drivers.size === 0) return new Map();
  const modules = [...drivers.values()].map(({ module }) => module);
  return readModuleStates(host, new Set([...modules, 'vfio_iommu_type1']));
}

/** udev opens a disk for a moment to look at it: whoever takes the function waits for that. */
function isPassing(comm: string): boolean {
  return /^\(?(?:udev-worker|systemd-udevd|udevd|blkid)\)?$/.test(comm);
}
