import { UsageError } from '../lib/words/errors.ts';
import { type PciAddress, parsePciAddress } from '../lib/words/pci-address.ts';

/** The PCI address that a word of the command line is; a UsageError where it is none. */
export function parseAddressWord(word: string): PciAddress {
  const address = parsePciAddress(word);
  if (address !== null) return address;
  throw new UsageError(`${JSON.stringify(word)} is no PCI address`, 'An address reads like 0000:01:00.0');
}
