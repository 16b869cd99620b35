import type { Checkup } from '../host/checkup.ts';
import type { GuestCheckup } from '../host/guest-checkup.ts';
import { formatArgvWords } from '../inputs/argv-words.ts';
import { type PciAddress, pciSlot } from '../words/pci-address.ts';
import { isUnseen } from '../words/seen.ts';
import { type Check, fail, ok, unknown, type Verdict, warn, withSeen } from './check.ts';
import { functionsOf, named, namedAll } from './describe.ts';
import { GUEST_FILE_CHECKS } from './guest-files.ts';
import { withXml } from './with-guest.ts';

/** What a guest is given: whether it is there, and whole. */
export const GUEST_DEVICE_CHECKS: readonly Check[] = [
  {
    id: 'guest.pci-devices',
    title: 'PCI devices of the guest',
    meaning:
      'Addresses change when cards are added or moved: the XML may name a slot that is empty now, or the host’s own disk.',
    judge: (checkup) =>
      withFunctions(checkup, (given) =>
        withSeen(checkup.functions, (tree) => {
          const gone = given.filter((address) => !tree.has(address));
          return gone.length === 0
            ? ok(
                given.length === 0
                  ? 'The guest has no PCI devices of the host'
                  : `The guest’s PCI devices are there: ${namedAll(checkup, given)}`,
              )
            : fail(
                `There is no ${gone.join(', ')} on this host`,
                'passqemu devices shows where the cards are now; correct <hostdev> and the profile (passqemu enable --force writes it anew)',
              );
        }),
      ),
  },
  {
    id: 'guest.whole-cards',
    title: 'Whole cards',
    meaning:
      'A card can be reset only together with all of its functions: sound and USB belong to the guest too.',
    judge: (checkup) =>
      withFunctions(checkup, (given) =>
        withSeen(checkup.functions, () => {
          const slots = new Set(given.map(pciSlot));
          const left = functionsOf(checkup).filter(
            ({ address, physicalFunction, isBridge }) =>
              slots.has(pciSlot(address)) &&
              !given.includes(address) &&
              physicalFunction === null &&
              !isBridge,
          );
          const split = left.filter(({ parent }) => parent !== null).map(({ address }) => address);
          return split.length === 0
            ? ok('The guest has every card with all its functions')
            : warn(
                `${namedAll(checkup, split)} of the same card ${split.length === 1 ? 'stays' : 'stay'} with the host`,
                'Add <hostdev> for each function, all on one slot of the guest with multifunction="on" on function 0',
              );
        }),
      ),
  },
  {
    id: 'guest.interrupts',
    title: 'Message signalled interrupts',
    meaning:
      'A function on old line interrupts (INTx) interrupts the host for each one, twice: sound crackles and USB stutters.',
    judge: (checkup) =>
      withFunctions(checkup, (given) =>
        withSeen(checkup.vfioInterrupts, (interrupts) => {
          const old = given.filter((address) => interrupts.get(address) === 'intx');
          return old.length === 0
            ? ok(
                given.some((address) => interrupts.has(address))
                  ? 'The guest’s functions use message signalled interrupts'
                  : 'The guest does not run now',
              )
            : warn(
                `${namedAll(checkup, old)} ${old.length === 1 ? 'uses' : 'use'} line interrupts in the guest`,
                'Windows: MSISupported = 1 under Device Parameters\\Interrupt Management\\MessageSignaledInterruptProperties of the device; Linux: options snd_hda_intel enable_msi=1',
              );
        }),
      ),
  },
  {
    id: 'guest.managed',
    title: 'One owner of each device',
    meaning:
      'With managed="yes" libvirt detaches devices itself, with no time limit, inside its daemon; passqemu takes those of a guest with a profile before that.',
    judge: (checkup) =>
      withXml(checkup, (_xml, guest) => {
        const managed = (guest.domain?.functions ?? [])
          .filter(({ managed }) => managed)
          .map(({ address }) => address);
        const left = guest.profile === null || guest.profile.devices.managed === 'leave';
        return managed.length === 0 || !left
          ? ok(
              managed.length === 0
                ? 'libvirt detaches nothing by itself'
                : 'passqemu takes the devices before libvirt looks',
            )
          : warn(
              `libvirt detaches ${managed.join(', ')} by itself`,
              `passqemu enable ${formatArgvWords([guest.guest])} (and no "managed = leave" in the profile), or managed="no"`,
            );
      }),
  },
  {
    id: 'guest.usb-devices',
    title: 'USB devices of the guest',
    meaning:
      'A USB device that is not plugged in keeps the guest from starting (unless startupPolicy="optional").',
    judge: (checkup) =>
      withXml(checkup, (_xml, guest) => {
        const wanted = guest.domain?.usb ?? [];
        if (wanted.length === 0)
          return isUnseen(guest.usb)
            ? unknown(guest.usb.unseen)
            : ok('The guest has no USB devices of the host');
        return withSeen(guest.usb, (present) => {
          const gone = wanted.filter(
            (want) =>
              !present.some(
                (one) =>
                  (want.vendorId === null || want.vendorId === one.vendorId) &&
                  (want.productId === null || want.productId === one.productId) &&
                  (want.bus === null || want.bus === one.bus) &&
                  (want.device === null || want.device === one.device),
              ),
          );
          return gone.length === 0
            ? ok('The guest’s USB devices are plugged in')
            : warn(
                gone
                  .map(({ vendorId, productId, bus, device }) =>
                    vendorId === null
                      ? `No USB device is at bus ${bus}, device ${device}`
                      : `No USB device ${vendorId}:${productId} is plugged in`,
                  )
                  .join('; '),
                'Plug it in, correct the ids (lsusb shows them), name it by id rather than by number, or write <source startupPolicy="optional">',
              );
        });
      }),
  },
  {
    id: 'guest.boot-card-rom',
    title: 'ROM for the boot card',
    meaning:
      'The card that the machine starts on shows a guest the ROM that the host’s firmware has changed; on older NVIDIA cards the guest stays dark without a file.',
    judge: (checkup) =>
      withFunctions(checkup, (given, guest) =>
        withSeen(checkup.functions, () => {
          const boot = checkup.cards.find(({ fn }) => fn.bootVga && given.includes(fn.address));
          if (boot === undefined) return ok('The guest does not get the card that the machine starts on');
          const { address } = boot.fn;
          return guest.xml?.roms.some((rom) => rom.address === address && rom.file !== null) === true
            ? ok(`The guest has a ROM file for ${named(checkup, address)}`)
            : warn(
                `${named(checkup, address)} is the boot card and the guest has no ROM file for it`,
                'Dump it while the other card is the boot card, or with the machine started by UEFI (passqemu rom dump), and give it by <rom file="…"/>; many newer cards do without',
              );
        }),
      ),
  },
  ...GUEST_FILE_CHECKS,
];

function withFunctions(
  checkup: Checkup,
  judge: (given: readonly PciAddress[], guest: GuestCheckup) => Verdict,
): Verdict {
  return withXml(checkup, (_xml, guest) =>
    judge(guest.domain?.functions.map(({ address }) => address) ?? [], guest),
  );
}
