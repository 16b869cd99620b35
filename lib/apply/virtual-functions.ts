import { readDeviceNodes } from '../host/device-nodes.ts';
import { findHolders } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import { readUses } from '../host/in-use.ts';
import { type PciFunction, pciFolder, readPciFunction } from '../host/pci-function.ts';
import { refuseVirtualFunctionCount } from '../plan/virtual-functions.ts';
import { HostError, RefusedError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { heldOf } from '../words/step.ts';
import { heldSteps, readState } from './journal.ts';
import { ensureStateFolder, takeLock } from './state-folder.ts';
import { wedgedFunctions } from './wedged.ts';

/** Drivers of network cards set up each of up to 256 virtual functions within the write. */
const WRITE_MS = 120_000;

export interface VirtualFunctionsRequest {
  readonly stateDir: string;
  readonly address: PciAddress;
  readonly wanted: number;
  readonly lockWaitMs: number;
  /** Looks and refuses as else, but writes nothing. */
  readonly dryRun: boolean;
}

/**
 * Makes so many virtual functions of a physical one, or ends them all: `sriov_numvfs` (Documentation/ABI/testing/sysfs-bus-pci). Unlike what a
 * guest takes this lasts until the next boot, and nobody gives it back. Answers the function before and after. A RefusedError with all
 * reasons where the host or a guest would be hurt; a HostError where the driver does not do it.
 */
export async function setVirtualFunctions(
  host: Host,
  request: VirtualFunctionsRequest,
  note: (line: string) => void,
): Promise<{ readonly before: PciFunction; readonly after: PciFunction }> {
  const { stateDir, address, wanted, dryRun } = request;
  if (!dryRun) {
    ensureStateFolder(host, stateDir);
    await takeLock(host, stateDir, `virtual functions of ${address}`, request.lockWaitMs, note);
  }
  const before = check(host, request);
  if (before.sriov?.enabled === wanted || dryRun) return { before, after: before };
  await host.writeSlowly(`${pciFolder(address)}/sriov_numvfs`, `${wanted}`, WRITE_MS);
  const after = readPciFunction(host, address);
  if (after === null || after.sriov?.enabled !== wanted)
    throw new HostError(
      `Cannot see ${wanted} virtual functions of ${address}: it says it has ${after?.sriov?.enabled ?? 'none'}`,
      { hint: 'The kernel’s log says why: journalctl -k' },
    );
  return { before, after };
}

function check(host: Host, { stateDir, address, wanted }: VirtualFunctionsRequest): PciFunction {
  const { journals, unreadable } = readState(host, stateDir);
  if (wedgedFunctions(host, journals).has(address))
    throw new RefusedError(
      `Cannot ask ${address} for its virtual functions: the kernel has still not answered an earlier write to it`,
      [],
      'passqemu status tells of it',
    );
  const fn = readPciFunction(host, address);
  if (fn === null) throw new HostError(`Cannot find ${address}: no such PCI function`, { code: 'ENODEV' });
  if (fn.sriov?.enabled === wanted) return fn;
  const ends = wanted === 0 ? fn.virtualFunctions : [];
  const nodes = readDeviceNodes(host, ends);
  const guests = new Map(
    heldOf(heldSteps(journals), 'driver').map(({ guest, step }) => [step.address, guest]),
  );
  const uses = readUses(host, ends);
  const { holders } = findHolders(host, nodes);
  const refusals = refuseVirtualFunctionCount({ fn, guests, uses, nodes, holders }, wanted);
  if (unreadable[0] !== undefined && ends.length > 0)
    refusals.push({
      id: 'unreadable',
      summary: `the journal ${unreadable[0].path} cannot be read, so which guest has what is not known`,
      remedy: 'Run it as root; passqemu status tells of the journal',
    });
  if (refusals.length === 0) return fn;
  const act = wanted === 0 ? 'end the virtual functions' : `make ${wanted} virtual functions`;
  throw new RefusedError(`Cannot ${act} of ${address}`, refusals);
}
