import type { AddressRange } from '../host/graphics.ts';
import { hexOf } from '../words/hex.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { quotedLines } from './describe.ts';
import { GPU_DESKTOP_CHECKS } from './gpu-desktop.ts';
import { GPU_RESET_CHECKS } from './gpu-reset.ts';
import { addKernelArguments } from './remedies.ts';
import { cardNames, judgeLog, withCards } from './with-cards.ts';

/** The graphics cards: which one the host shows itself on, and whether the others can be handed over. */
export const GPU_CHECKS: readonly Check[] = [
  {
    id: 'gpu.second-card',
    title: 'A card left for the host',
    meaning:
      'With one card only, the host’s screen goes dark while a guest has it: it can be reached by network only, and the desktop ends.',
    judge: (checkup) =>
      withCards(checkup, (cards) =>
        cards.length > 1
          ? ok(`There are ${cards.length} graphics cards: ${cardNames(checkup, cards)}`)
          : warn(
              `${cardNames(checkup, cards)} is the only graphics card`,
              'Turn on the integrated graphics in the firmware’s setup ("iGPU Multi-Monitor"), or make sure that the host can be reached by ssh before a guest gets the card',
            ),
      ),
  },
  {
    id: 'gpu.boot-card',
    title: 'The card that the machine starts on',
    meaning:
      'Firmware shows itself on the boot card and leaves its ROM and framebuffer in use; the other card is the better one for a guest.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const taken = cards.filter(({ fn }) => fn.bootVga && fn.isVfio);
        const boot = cards.find(({ fn }) => fn.bootVga);
        if (boot === undefined) return unknown('no card says that the machine started on it (boot_vga)');
        return taken.length > 0 && cards.length > 1
          ? warn(
              `${cardNames(checkup, taken)} is on vfio-pci and is the card that the machine starts on`,
              'Choose the other card as the primary display in the firmware’s setup ("Initial Display Output"); else give the guest a ROM file (<rom file="…"/>)',
            )
          : ok(`The machine starts on ${cardNames(checkup, [boot])}`);
      }),
  },
  {
    id: 'gpu.boot-framebuffer',
    title: 'Firmware’s framebuffer on a passed card',
    meaning:
      'A framebuffer that firmware set up and nobody removed keeps the guest from the card’s memory ("BAR n: can’t reserve"). vfio-pci removes it from VGA cards (class 0300) only.',
    judge: (checkup) =>
      withCards(checkup, (cards) =>
        withSeen(checkup.bootFramebuffers, (framebuffers) => {
          const stuck = cards.filter(
            ({ fn, windows }) =>
              fn.isVfio && windows.some((window) => framebuffers.some((one) => overlap(window, one))),
          );
          return stuck.length === 0
            ? ok('No card on vfio-pci has a framebuffer of the firmware in its memory')
            : fail(
                `${cardNames(checkup, stuck)} still has ${framebuffers.map(({ name }) => name).join(', ')} in its memory`,
                addKernelArguments(checkup, 'initcall_blacklist=sysfb_init'),
                `In /proc/iomem: ${framebuffers.map(({ first, last, name }) => `${hexOf(first)}-${hexOf(last)} ${name}`).join(', ')}.`,
              );
        }),
      ),
  },
  {
    id: 'gpu.bar-reservation',
    title: 'Memory windows that could not be had',
    meaning:
      'vfio-pci could not have the card’s memory: somebody (mostly a framebuffer) holds it, and the guest gets a dead card.',
    judge: (checkup) =>
      judgeLog(checkup, /vfio-pci .*BAR \d+.*can['’]t reserve|vfio-pci.*can't ioremap/, (lines) =>
        fail(
          'vfio-pci could not reserve a card’s memory',
          addKernelArguments(checkup, 'initcall_blacklist=sysfb_init'),
          `${quotedLines(lines)}.`,
        ),
      ),
  },
  {
    id: 'gpu.above-4g',
    title: 'Above 4G decoding',
    meaning:
      'Cards with much memory need windows above 4 GiB; firmware that does not give them leaves a window without an address.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const bare = cards.filter(({ unassigned, fn }) => unassigned > 0 && fn.physicalFunction === null);
        if (bare.length > 0) {
          return fail(
            `${cardNames(checkup, bare)} has a memory window without an address`,
            'Turn on "Above 4G Decoding" in the firmware’s setup (CSM must be off), or add pci=realloc to the kernel’s command line',
          );
        }
        const high = cards.filter(({ windows }) => windows.some(({ first }) => first >= 1n << 32n));
        return ok(
          high.length > 0
            ? `Firmware gives windows above 4 GiB (${cardNames(checkup, high)})`
            : 'Every card’s windows have addresses, all below 4 GiB',
        );
      }),
  },
  {
    id: 'gpu.resizable-bar',
    title: 'Resizable BAR',
    meaning:
      'A card that firmware gave a large window (Resizable BAR) may not come back to the host’s driver, and older guest firmware has no room for it; guests work with 256 MiB too.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const large = cards.filter(
          ({ fn }) =>
            fn.vendorId === '1002' &&
            fn.bars.some(({ resizable, sizeBytes }) => resizable && sizeBytes > 256 << 20),
        );
        const some = cards.filter(({ fn }) => fn.bars.some(({ resizable }) => resizable));
        if (some.length === 0) return ok('No card has a window that can be resized');
        return large.length > 0
          ? warn(
              `${cardNames(checkup, large)} has its window enlarged (Resizable BAR)`,
              'If the card does not come back after a guest or the guest shows nothing: turn "Resizable BAR" (Smart Access Memory) off in the firmware’s setup',
            )
          : ok(
              `${cardNames(checkup, some)} could have a larger window and has the usual one, or is not known for trouble with it`,
            );
      }),
  },
  {
    id: 'gpu.rom',
    title: 'ROM of the cards',
    meaning:
      'The guest’s firmware shows a picture only if it finds the card’s ROM; a card without one (laptops, some integrated ones) needs a file.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const given = new Set(
          (checkup.guest?.xml?.roms ?? []).filter(({ file }) => file !== null).map(({ address }) => address),
        );
        const without = cards.filter(
          ({ fn, hasRom }) => !hasRom && !given.has(fn.address) && fn.classCode?.startsWith('0300') === true,
        );
        return without.length === 0
          ? ok('Every VGA card has a ROM to read')
          : warn(
              `${cardNames(checkup, without)} has no ROM that the kernel could read`,
              'If a guest shall have it: take the ROM from the firmware’s update or another machine (passqemu rom check judges it) and give it by <rom file="…"/>',
            );
      }),
  },
  ...GPU_RESET_CHECKS,
  ...GPU_DESKTOP_CHECKS,
];

function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}
