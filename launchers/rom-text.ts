import type { OptionRom } from '../lib/inputs/option-rom.ts';
import type { RomImage } from '../lib/inputs/rom-image.ts';
import { painter } from './paint.ts';

/** A ROM as JSON: the keys of the public contract first. */
export function romReport({ valid, uefi, images, trimOffset, problems }: OptionRom): object {
  return {
    valid,
    uefi,
    images: images.map(
      ({
        offset,
        length,
        type,
        vendorId,
        deviceId,
        classCode,
        revision,
        efi,
        last,
        checksumValid,
        ...more
      }) => ({
        ...{ offset, length, type, vendorId, deviceId, classCode, revision, efi, last, checksumValid },
        ...more,
      }),
    ),
    trimOffset,
    problems,
  };
}

/** A ROM for people: what it is worth, its images, what is wrong, how to cut it. */
export function formatRom(path: string, judged: OptionRom, colour: boolean): string {
  const paint = painter(colour);
  const { valid, uefi, images, trimOffset, problems } = judged;
  const worth = valid
    ? paint(
        32,
        uefi ? 'a ROM that UEFI guests can use' : 'a ROM for legacy BIOS guests only: it has no UEFI driver',
      )
    : paint(31, 'no ROM that a guest can use as it is');
  const lines = [`${path}: ${worth}`, ...images.map((image) => `  ${formatImage(image)}`)];
  lines.push(...problems.map((problem) => `  ${paint(31, '✗')} ${problem}`));
  if (trimOffset !== null && trimOffset > 0)
    lines.push(`  Cut it with: dd if=${quoteWord(path)} of=FILE iflag=skip_bytes skip=${trimOffset}`);
  return lines.join('\n');
}

function formatImage({ offset, length, type, vendorId, deviceId, efi, last }: RomImage): string {
  const what =
    efi === null
      ? type
      : `UEFI ${efi.subsystem} driver for ${efi.machine}${efi.compressed ? ', compressed' : ''}`;
  return `${offset}: ${length} bytes, ${what}, for ${vendorId}:${deviceId}${last ? ', the last' : ''}`;
}

/** A path that a shell takes as one word. */
function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
