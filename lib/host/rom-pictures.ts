import { LARGEST_ROM_BYTES, type OptionRom, parseOptionRom, type RomCard } from '../inputs/option-rom.ts';
import { HostError } from '../words/errors.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import type { Host } from './host.ts';
import { pciFolder, readPciFunction } from './pci-function.ts';

/** A function that the guest gets, and the file that it shall get for the card's own ROM. */
export interface RomWish {
  readonly address: PciAddress;
  readonly file: string | null;
}

/** What there is to know of a function's ROM without touching the card. */
export interface RomPicture extends RomWish {
  readonly card: RomCard;
  /** A graphics card that the machine started on. */
  readonly isBootDisplay: boolean;
  /** Whether the kernel can reach a ROM on the card. */
  readonly hasOwn: boolean;
  /** Whether a legacy BIOS started the machine: of the boot display the kernel then has a copy in memory only. */
  readonly isLegacyBoot: boolean;
  /** What the file holds, or why it cannot be read; null where none is named. */
  readonly content: OptionRom | { readonly unreadable: string } | null;
}

/** Reads the named ROM files, and what the kernel says of the functions' own ROMs. The card's own ROM is never read: that switches what the card shows. */
export function readRomPictures(host: Host, wishes: readonly RomWish[]): RomPicture[] {
  const isLegacyBoot = !host.exists('/sys/firmware/efi');
  return wishes.flatMap(({ address, file }) => {
    const fn = readPciFunction(host, address);
    if (fn === null) return [];
    return {
      address,
      file,
      card: fn,
      isBootDisplay: fn.bootVga && pciKind(fn.classCode) === 'display',
      hasOwn: host.exists(`${pciFolder(address)}/rom`),
      isLegacyBoot,
      content: file === null ? null : readRom(host, file),
    };
  });
}

function readRom(host: Host, file: string): RomPicture['content'] {
  const facts = host.stat(file, 'follow');
  if (facts === null) return { unreadable: 'there is no such file, or it may not be read' };
  if (facts.kind !== 'file') return { unreadable: 'it is no ordinary file' };
  try {
    return parseOptionRom(host.readBytes(file, LARGEST_ROM_BYTES + 1));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { unreadable: error.code ?? error.message };
  }
}
