/** The address of one PCI function in the kernel's form, always in full and lower case: "0000:01:00.0". */
export type PciAddress = string & { readonly __pciAddress: unique symbol };

const FORM = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i;

/**
 * Reads a PCI address as people write it ("01:00.0", "0000:01:00.0", "10000:e1:00.0"), or gives null.
 * Domains of more than four digits exist (VMD, Hyper-V); the device part ends at 1f.
 */
export function parsePciAddress(text: string): PciAddress | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, domain = '0', bus = '', device = '', fn = ''] = match;
  return pciAddress(
    Number.parseInt(domain, 16),
    Number.parseInt(bus, 16),
    Number.parseInt(device, 16),
    Number(fn),
  );
}

/** Puts an address together from its numbers, or gives null where one is out of range. */
export function pciAddress(domain: number, bus: number, device: number, fn: number): PciAddress | null {
  const whole = [domain, bus, device, fn].every((part) => Number.isInteger(part) && part >= 0);
  if (!whole || domain > 0xffffffff || bus > 0xff || device > 0x1f || fn > 7) return null;
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}` as PciAddress;
}

/** The slot that a function belongs to ("0000:01:00"): all functions of one card share it. */
export function pciSlot(address: PciAddress): string {
  return address.slice(0, address.lastIndexOf('.'));
}

/** The function's number within its card, 0 to 7. */
export function pciFunction(address: PciAddress): number {
  return Number(address.slice(-1));
}

/** Orders addresses as the kernel's numbers do, so that domain 10000 follows 0000. */
export function comparePciAddresses(a: PciAddress, b: PciAddress): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
