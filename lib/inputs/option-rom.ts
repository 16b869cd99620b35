import { findPciData, hasSignature, parseRomImage, type RomImage } from './rom-image.ts';

/** A larger one is none: the largest expansion ROM BAR is 16 MiB (PCI Local Bus Specification 3.0, 6.2.5.2). */
export const LARGEST_ROM_BYTES = 16 << 20;

/** What a file that shall be a card's ROM is worth. */
export interface OptionRom {
  /** A guest's firmware can use the file as it is. */
  readonly valid: boolean;
  /** It has a driver for UEFI firmware. */
  readonly uefi: boolean;
  readonly images: readonly RomImage[];
  /** Where the first image begins: what lies before is the vendor's and must be cut off. Null where there is no image. */
  readonly trimOffset: number | null;
  readonly problems: readonly string[];
}

/** What a ROM must be made for. */
export interface RomCard {
  readonly vendorId: string | null;
  readonly deviceId: string | null;
}

/**
 * Reads the chain of images of an option ROM up to the one that says it is the last. Made for files of strangers: each step
 * goes forward by at least a block, and nothing outside the file is read.
 */
export function parseOptionRom(bytes: Buffer): OptionRom {
  const problems: string[] = [];
  const images: RomImage[] = [];
  const trimOffset = findFirstImage(bytes);
  if (bytes.length === 0) problems.push('The file is empty');
  else if (bytes.length > LARGEST_ROM_BYTES)
    problems.push(`The file has ${bytes.length} bytes, a ROM has at most ${LARGEST_ROM_BYTES}`);
  if (trimOffset !== null && trimOffset > 0)
    problems.push(
      `The first image begins at ${trimOffset}: what lies before it is no part of the ROM and must be cut off`,
    );
  let last = false;
  for (let offset = trimOffset ?? 0; !last && bytes.length > 0; ) {
    const read = parseRomImage(bytes, offset);
    const name = `The image at ${offset}`;
    if (read.image === null) {
      problems.push(
        images.length === 0
          ? `${name} ${read.problem}`
          : `No image says that it is the last, and what follows at ${offset} is none: it ${read.problem}`,
      );
      break;
    }
    images.push(read.image);
    problems.push(...read.problems.map((problem) => `${name} ${problem}`));
    last = read.image.last;
    if (read.image.length === 0) break;
    offset += read.image.length;
  }
  return {
    valid: images.length > 0 && problems.length === 0,
    uefi: images.some(({ efi }) => efi?.signatureValid === true),
    images,
    trimOffset,
    problems,
  };
}

/** Why a ROM is not this card's, a sentence for each image that is not; nothing where the card's ids are not known. */
export function compareRomWithCard({ images }: OptionRom, { vendorId, deviceId }: RomCard): string[] {
  if (vendorId === null || deviceId === null) return [];
  return images
    .filter((image) => {
      const isMeant = image.deviceId === deviceId || image.deviceIds.includes(deviceId);
      return image.vendorId !== vendorId || !isMeant;
    })
    .map(
      (image) =>
        `The image at ${image.offset} is for ${image.vendorId}:${image.deviceId}, the card is ${vendorId}:${deviceId}`,
    );
}

/**
 * Where the chain begins: at once; or behind what a vendor's flash tool puts before it. A first image whose signature alone is
 * broken is a broken one, nothing to be cut off.
 */
function findFirstImage(bytes: Buffer): number | null {
  if (findPciData(bytes, 0) !== null) return hasSignature(bytes, 0) ? 0 : null;
  const signature = Buffer.from([0x55, 0xaa]);
  for (let at = bytes.indexOf(signature); at !== -1; at = bytes.indexOf(signature, at + 1)) {
    if (findPciData(bytes, at) !== null) return at;
  }
  return null;
}
