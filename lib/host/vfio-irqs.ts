import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { readIrqActions } from './irqs.ts';

/**
 * The interrupts that a function has now: its messages (msi_irqs of Documentation/ABI/testing/sysfs-bus-pci) and its line.
 * They come and go with the driver, and with VFIO at the will of the guest's driver.
 */
export function readFunctionIrqs(host: Host, address: PciAddress): number[] {
  const folder = `/sys/bus/pci/devices/${address}`;
  const line = host.readOptional(`${folder}/irq`) ?? '0';
  const numbers = [...host.list(`${folder}/msi_irqs`), line].filter((name) => /^[1-9]\d{0,8}$/.test(name));
  return [...new Set(numbers.map(Number))];
}

/** Whether VFIO alone handles it: "vfio-msix[0](0000:01:00.0)", "vfio-intx(…)". A line may be shared with a driver of the host. */
export function isVfioIrq(host: Host, irq: number): boolean {
  const actions = readIrqActions(host, irq);
  return actions !== '' && actions.split('|').every((action) => action.startsWith('vfio-'));
}
