import type { DeviceNode } from '../host/device-node.ts';
import { type Holder, nodeKey } from '../host/holders.ts';
import type { PciFunction } from '../host/pci-function.ts';
import type { Use } from '../host/uses.ts';
import type { Refusal } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { describeUse } from './device-uses.ts';

/** A physical function and what is known of those who use it, and its virtual functions. */
export interface VirtualFunctionsPicture {
  readonly fn: PciFunction;
  /** Which guest has which function. */
  readonly guests: ReadonlyMap<PciAddress, string>;
  /** Uses, nodes and their holders are those of the virtual functions. */
  readonly uses: readonly Use[];
  readonly nodes: readonly DeviceNode[];
  readonly holders: readonly Holder[];
}

/**
 * All reasons against `wanted` virtual functions. One call is one write to sriov_numvfs, which the kernel does wholly or not at all: from one
 * number to another it wants 0 in between (Documentation/PCI/pci-iov-howto.rst), and that would be two.
 */
export function refuseVirtualFunctionCount(picture: VirtualFunctionsPicture, wanted: number): Refusal[] {
  const { fn, guests } = picture;
  const { address, sriov } = fn;
  const refusals: Refusal[] = [];
  const refuse = (id: string, summary: string, remedy: string | null) =>
    void refusals.push({ id, summary, remedy });
  if (sriov === null) {
    refuse(
      'no-sriov',
      `${address} has no virtual functions to give: it is not capable of SR-IOV, or the firmware’s set-up has that switched off`,
      'passqemu devices says of which functions there can be any',
    );
    return refusals;
  }
  if (wanted > sriov.total)
    refuse('too-many', `${address} can have ${sriov.total} virtual functions, not ${wanted}`, null);
  if (wanted > 0 && sriov.enabled > 0)
    refuse(
      'already-some',
      `${address} has ${sriov.enabled} virtual functions, and the kernel makes others only where there are none`,
      `passqemu sriov ${address} 0 ends them first`,
    );
  const guest = guests.get(address);
  if (guest !== undefined) refuse('held', `guest ${guest} holds ${address} itself`, `Stop ${guest} first`);
  else if (fn.driver === null || fn.isVfio)
    refuse(
      'no-driver',
      `${address} ${fn.driver === null ? 'has no driver' : `is on ${fn.driver}`}, and only the host’s own driver makes and ends virtual functions`,
      'Bind it to its driver first',
    );
  if (wanted === 0) refusals.push(...refuseEnd(picture));
  return refusals;
}

/** With a virtual function goes what the host or a guest does with it; where VFIO has it open, the kernel waits for the guest for ever. */
function refuseEnd({ fn, guests, uses, nodes, holders }: VirtualFunctionsPicture): Refusal[] {
  return fn.virtualFunctions.flatMap((address) => {
    const guest = guests.get(address);
    if (guest !== undefined)
      return [{ id: 'held', summary: `guest ${guest} holds ${address}`, remedy: `Stop ${guest} first` }];
    const used = uses
      .filter((use) => use.address === address && use.severity === 'refuse')
      .map((use) => ({ id: use.why, summary: `${address}: ${describeUse(use)}`, remedy: null }));
    const paths = new Map(
      nodes
        .filter((node) => node.address === address && !node.shared)
        .map((node) => [nodeKey(node), node.path]),
    );
    const open = holders
      .filter(({ key }) => paths.has(key))
      .map(({ key, comm, pid, unit }) => ({
        id: 'open',
        summary: `${paths.get(key)} of ${address} is open in ${comm} (process ${pid}${unit === null ? '' : `, ${unit}`})`,
        remedy: 'End it first',
      }));
    return [...used, ...open];
  });
}
