import type { Host } from '../host/host.ts';
import { parsePciBars } from '../host/pci-bars.ts';
import { pciFolder } from '../host/pci-function.ts';
import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';

const MIB = 1024 * 1024;

/** The present sizes of these BARs, in MiB. */
export function readBarSizes(
  host: Host,
  address: PciAddress,
  indexes: readonly string[],
): Record<string, number> {
  const bars = parsePciBars(host.readOptional(`${pciFolder(address)}/resource`) ?? '', () => true);
  return Object.fromEntries(
    indexes.map((index) => [index, (bars.find((bar) => bar.index === Number(index))?.sizeBytes ?? 0) / MIB]),
  );
}

/**
 * Sets sizes of resizable BARs, in MiB, which the kernel only does while no driver has the function: the number it takes is the
 * power of two. See resourceN_resize in Documentation/ABI/testing/sysfs-bus-pci.
 */
export async function setBarSizes(
  host: Host,
  address: PciAddress,
  sizes: Readonly<Record<string, number>>,
  deadlineMs: number,
): Promise<void> {
  const indexes = Object.keys(sizes);
  const now = readBarSizes(host, address, indexes);
  for (const index of indexes) {
    const sizeMib = sizes[index]!;
    if (now[index] === sizeMib || sizeMib < 1) continue;
    const path = `${pciFolder(address)}/resource${index}_resize`;
    try {
      await host.writeSlowly(path, `${Math.log2(sizeMib)}\n`, deadlineMs);
    } catch (error) {
      if (!(error instanceof HostError) || error.code === 'ETIMEDOUT') throw error;
      throw new HostError(
        `Cannot make BAR ${index} of ${address} ${sizeMib} MiB large: ${error.code ?? error.message}`,
        {
          code: error.code,
          path,
          hint: 'The kernel shows the sizes that the card can have in that file, and needs as much room below the card’s root port',
        },
      );
    }
    if (readBarSizes(host, address, [index])[index] !== sizeMib)
      throw new HostError(
        `Cannot make BAR ${index} of ${address} ${sizeMib} MiB large: the kernel took the request, but shows ${readBarSizes(host, address, [index])[index]} MiB`,
        { path },
      );
  }
}
