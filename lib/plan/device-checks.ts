import { nodeKey } from '../host/holders.ts';
import type { PciFunction } from '../host/pci-function.ts';
import type { Refusal } from '../words/errors.ts';
import { type PciAddress, pciSlot } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import type { DeviceIndex } from './device-index.ts';
import { type Chosen, type DeviceInput, listed } from './device-input.ts';

/** What a function itself has against being given to a guest, whoever uses it. */
export function refuseFunction(
  { fn, name, ours }: Chosen,
  { picture }: DeviceInput,
  holder: string | null,
): Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (id: string, what: string, remedy: string) =>
    refusals.push({ id, summary: `Cannot take ${name}: ${what}`, remedy });
  if (holder !== null) {
    refuse(
      'held-by-guest',
      `guest ${holder} holds it, it must belong to one guest`,
      `Stop ${holder} first (passqemu status)`,
    );
  }
  if (fn.isBridge) {
    refuse(
      'bridge',
      'it is a PCI bridge, only functions behind it can be given',
      'Name what hangs on it instead; bridges stay as they are',
    );
    return refusals;
  }
  // Some IOMMUs (virtio) make a function's group only when a driver takes it
  if (picture.iommu && fn.group === null && fn.driver !== null) {
    refuse(
      'no-group',
      'it is in no IOMMU group, it must be in one',
      'The kernel leaves some devices out: see its log (journalctl -k -g iommu)',
    );
  }
  if (picture.silent.has(fn.address)) {
    refuse(
      'silent',
      'it does not answer, its configuration reads as ones',
      'Let the host sleep and wake once (systemctl suspend), or power it off for some seconds; then see passqemu doctor for how to keep the card awake',
    );
  }
  refusals.push(...refuseVirtualFunctions(fn, name));
  const driver = ours ? picture.vfioDrivers.get(fn.address) : undefined;
  if (driver !== undefined && picture.modules.get(driver.module) === 'absent') {
    refuse(
      'no-vfio-driver',
      `the running kernel has no module ${driver.module}, it must`,
      'Install the package with the kernel’s extra modules, or a kernel with CONFIG_VFIO_PCI; after a kernel update, reboot',
    );
  }
  return refusals;
}

/** vfio-pci refuses a physical function with virtual functions (drivers/vfio/pci/vfio_pci_core.c), and unbinding it ends them all. */
export function refuseVirtualFunctions({ address, sriov }: PciFunction, name: string): Refusal[] {
  if (sriov === null || sriov.enabled === 0) return [];
  return [
    {
      id: 'virtual-functions',
      summary: `Cannot take ${name}: ${sriov.enabled} virtual functions of it are enabled, there must be none`,
      remedy: `Give the guest one of them, or end them: passqemu sriov ${address} 0`,
    },
  ];
}

/** Processes that have a node of the function open, in one refusal. */
export function refuseHolders(
  fn: PciFunction,
  name: string,
  index: DeviceIndex,
  leaving: ReadonlySet<number> = new Set(),
): Refusal[] {
  const nodes = (index.nodes.get(fn.address) ?? []).filter(({ shared }) => !shared);
  const paths = new Map(nodes.map((node) => [nodeKey(node), node.path]));
  const holders = [...paths.keys()]
    .flatMap((key) => index.holders.get(key) ?? [])
    .filter(({ pid }) => !leaving.has(pid));
  if (holders.length === 0) return [];
  const words = holders.map(
    ({ pid, comm, unit, key }) =>
      `${comm} (process ${pid}${unit === null ? '' : ` of ${unit}`}) has ${paths.get(key)} open`,
  );
  const how = pciKind(fn.classCode) === 'display' ? ', with "display = yes" under [handover],' : '';
  const units = [...new Set(holders.map(({ unit }) => unit).filter((unit) => unit !== null))];
  return [
    {
      id: 'held-by-processes',
      summary: `Cannot take ${name}: ${listed(words, 6)}, nobody must`,
      remedy: `Stop ${units.length === 0 ? 'what has it open' : listed(units, 6)}, by hand${how} or with a prepare-first command, then start the guest again`,
    },
  ];
}

/** libvirt counts an unmanaged function for ever among those that others give back, whichever guest it is attached to later (notes/libvirt.md). */
export function noteUnmanaged({ fn, name }: Chosen, { domainFunctions }: DeviceInput): string[] {
  if (fn.isVfio || !domainFunctions.some(({ address, managed }) => address === fn.address && !managed))
    return [];
  return [
    `${name} is managed='no' in the domain: libvirt will then not give it back after it was attached to a running guest; managed='yes' is no harm, passqemu takes it first all the same`,
  ];
}

/** What people should know of a function before it goes. */
export function noteFunction(
  { fn, name, ours }: Chosen,
  index: DeviceIndex,
  taken: ReadonlySet<PciAddress>,
): string[] {
  const notes: string[] = [];
  if (fn.isVfio) notes.push(`${name} is on ${fn.driver} already and stays there`);
  else if (!ours) notes.push(`${name} is left to libvirt (managed = leave)`);
  if (fn.bootVga && !fn.isVfio)
    notes.push(`${name} is the display that the machine started on: its console goes dark`);
  if (!fn.resettable)
    notes.push(`${name} cannot be reset: a second start may find it as the first one left it`);
  const mates = (index.cards.get(pciSlot(fn.address)) ?? [])
    .filter(({ address, physicalFunction }) => !taken.has(address) && physicalFunction === null)
    .map(({ address }) => address);
  // On a root bus there is no bus reset, and functions that reset alone do not need one
  const needsBus = fn.parent !== null && !fn.resetMethods.some((method) => ALONE.includes(method));
  if (needsBus && mates.length > 0) {
    const stay = mates.length === 1 ? 'stays' : 'stay';
    notes.push(
      `${name}: ${listed(mates)} of the same card ${stay} with the host, but the card can only be reset as a whole`,
    );
  }
  return notes;
}

const ALONE = ['device_specific', 'acpi', 'flr', 'af_flr'];
