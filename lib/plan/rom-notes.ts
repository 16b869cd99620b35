import type { RomPicture } from '../host/rom-pictures.ts';
import { compareRomWithCard } from '../inputs/option-rom.ts';
import { listed } from './device-input.ts';

/** What a guest's firmware will make of the ROM files that it gets, and where it lacks one, in sentences. */
export function noteRoms(pictures: readonly RomPicture[]): string[] {
  return pictures.flatMap((picture) => (picture.file === null ? noteNone(picture) : noteFile(picture)));
}

function noteFile({ address, file, content, card }: RomPicture): string[] {
  if (content === null) return [];
  if ('unreadable' in content) return [`${address}: the ROM file ${file} is not read: ${content.unreadable}`];
  const problems = [...content.problems, ...compareRomWithCard(content, card)];
  if (problems.length > 0)
    return [
      `${address}: the guest may show nothing, its ROM file ${file} is not one for this card: ${listed(problems, 3)} (passqemu rom check ${file} --card ${address})`,
    ];
  return content.uefi
    ? []
    : [
        `${address}: the ROM file ${file} has no UEFI driver: a guest with UEFI firmware shows nothing until its own driver loads`,
      ];
}

function noteNone({ address, isBootDisplay, hasOwn, isLegacyBoot }: RomPicture): string[] {
  if (!isBootDisplay) return [];
  if (!hasOwn)
    return [
      `${address}: the machine started on this card, and it shows no ROM: without a ROM file (romfile, <rom file=…>) the guest may show nothing until its own driver loads`,
    ];
  if (!isLegacyBoot) return [];
  return [
    `${address}: a legacy BIOS started the machine on this card, so its ROM shows a copy that has been written to: passqemu rom dump ${address} FILE and rom check FILE say what it is worth`,
  ];
}
