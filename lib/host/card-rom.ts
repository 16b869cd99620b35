import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { pciFolder } from './pci-function.ts';

/**
 * Reads a function's expansion ROM. The kernel maps it only while 1 is written to its `rom` file, so 0 is written again
 * whatever happens. See Documentation/ABI/testing/sysfs-bus-pci ("rom") and drivers/pci/rom.c: of the display that a legacy
 * BIOS started on, it shows the copy in memory.
 */
export function readCardRom(host: Host, address: PciAddress, limit: number): Buffer {
  const path = `${pciFolder(address)}/rom`;
  if (!host.exists(path))
    throw new HostError(`Cannot read the ROM of ${address}: it has none that the kernel can reach`, {
      code: 'ENOENT',
      path,
      hint: 'Boot the machine with another display so that the card is not the first, or take the ROM from the card’s vendor',
    });
  host.write(path, '1');
  let bytes: Buffer;
  try {
    bytes = host.readBytes(path, limit + 1);
  } finally {
    host.write(path, '0');
  }
  if (bytes.length === 0 || bytes.every((byte) => byte === 0xff) || bytes.every((byte) => byte === 0)) {
    throw new HostError(
      `Cannot read the ROM of ${address}: the card does not answer (${bytes.length === 0 ? 'no bytes' : `only ${bytes[0]!.toString(16).padStart(2, '0')}`})`,
      {
        code: 'EIO',
        path,
        hint: 'A card that sleeps (D3) or that a driver has changed hides it: try right after a boot, with vfio-pci on it',
      },
    );
  }
  return bytes;
}
