import type { Host } from '../host/host.ts';
import { pciFolder } from '../host/pci-function.ts';
import { isSilent } from '../host/silent-function.ts';
import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { StepOf } from '../words/step.ts';
import { waitUntil } from './wait-until.ts';

/** A card that wakes from D3cold has 100 ms by the PCI Express specification; some take longer. */
const WAKE_MS = 3_000;

/**
 * What must be set before VFIO has the function: the ways to reset it, because the first open resets it, and that it is never cut
 * off from power. See reset_method and d3cold_allowed in Documentation/ABI/testing/sysfs-bus-pci.
 */
export function setBeforeBind(host: Host, { address, awake, resetMethod }: StepOf<'driver'>): void {
  const folder = pciFolder(address);
  if (resetMethod !== undefined) {
    const path = `${folder}/reset_method`;
    if (host.readOptional(path) !== resetMethod) host.write(path, `${resetMethod}\n`);
    const now = host.readOptional(path);
    if (now !== resetMethod)
      throw new HostError(
        `Cannot make ${address} reset by ${resetMethod}: the kernel shows ${now ?? 'no reset at all'}`,
        { path, hint: 'The kernel log says why (journalctl -k, dmesg)' },
      );
  }
  if (awake === true && host.readOptional(`${folder}/d3cold_allowed`) === '1')
    host.write(`${folder}/d3cold_allowed`, '0\n');
}

/**
 * Wakes the function and keeps it awake. Only after the bind: vfio-pci sets power/control to "auto" in it, and its parameter
 * disable_idle_d3 is read once, when the module is loaded. A function whose configuration reads as ones does not answer any more.
 */
export async function wake(host: Host, address: PciAddress): Promise<void> {
  const folder = pciFolder(address);
  const control = `${folder}/power/control`;
  if (host.readOptional(control) !== 'on') {
    if (!host.exists(control)) return;
    host.write(control, 'on\n');
  }
  const isAwake = () => ['D0', 'unknown', null].includes(host.readOptional(`${folder}/power_state`));
  if ((await waitUntil(host, WAKE_MS, isAwake)) && !isSilent(host, address)) return;
  throw new HostError(
    `Cannot wake ${address}: it stays in ${host.readOptional(`${folder}/power_state`) ?? 'an unknown state'} and does not answer`,
    {
      path: control,
      hint: 'Such a card comes back by sleep and wake of the host, by its slot’s power, or by a reboot; booting with vfio_pci.disable_idle_d3=1 may prevent it',
    },
  );
}
