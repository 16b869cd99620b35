import type { Host } from '../host/host.ts';
import { pciFolder } from '../host/pci-function.ts';
import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { waitUntil } from './wait-until.ts';

/** How long a driver may take to appear on a function, and a function to appear on the bus. */
const LOOK_MS = 5_000;

/** One function on its way back to the host. */
export interface Homecoming {
  readonly address: PciAddress;
  readonly home: string;
  readonly deadlineMs: number;
  /** Asks the home driver to take it. */
  probe(): Promise<void>;
  note(line: string): void;
}

/**
 * What is left to try with a graphics card that its driver does not take after a guest: reset it by the methods it has; then remove it
 * from the bus and have the bus looked at anew, which also makes it a new device to the driver (remove and rescan in
 * Documentation/ABI/testing/sysfs-bus-pci). Answers whether it is home.
 */
export async function comeHome(host: Host, way: Homecoming): Promise<boolean> {
  const { address, home, deadlineMs, note } = way;
  const folder = pciFolder(address);
  const isHome = () => waitUntil(host, LOOK_MS, () => host.linkName(`${folder}/driver`) === home);
  const classCode = (host.readOptional(`${folder}/class`) ?? '').slice(2);
  if (pciKind(classCode) !== 'display' || host.linkName(`${folder}/driver`) !== null) return false;
  if (host.exists(`${folder}/reset`)) {
    note(`${home} does not take ${address}: it is reset`);
    await attempt(host, `${folder}/reset`, deadlineMs);
    await way.probe();
    if (await isHome()) return true;
  }
  if (!host.exists(`${folder}/remove`)) return false;
  note(`${home} does not take ${address}: it is removed from the bus and looked for anew`);
  await attempt(host, `${folder}/remove`, deadlineMs);
  if (!(await findAgain(host, address, deadlineMs))) return false;
  // It is a new device without an override: by its ids its driver has it, or not
  if (await isHome()) return true;
  await host.writeSlowly(`${folder}/driver_override`, `${home}\n`, deadlineMs);
  await way.probe();
  return isHome();
}

/** Has the bus looked at for a function that is not on it; also one that a killed process of ours had removed. Answers whether it is there. */
export async function findAgain(host: Host, address: PciAddress, deadlineMs: number): Promise<boolean> {
  await attempt(host, '/sys/bus/pci/rescan', deadlineMs);
  return waitUntil(host, LOOK_MS, () => host.exists(pciFolder(address)));
}

/** One that the kernel refuses is one that did not help; one that it does not answer is told. */
async function attempt(host: Host, path: string, deadlineMs: number): Promise<void> {
  try {
    await host.writeSlowly(path, '1\n', deadlineMs);
  } catch (error) {
    if (!(error instanceof HostError) || error.code === 'ETIMEDOUT') throw error;
  }
}
