import type { Checkup } from '../host/checkup.ts';
import { wordsOf } from '../host/kernel-parameters.ts';
import type { PciFunction } from '../host/pci-function.ts';
import { isUnseen, seenOr } from '../words/seen.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { functionsOf, namedAll } from './describe.ts';
import { addModprobeLines, putVfioIntoInitramfs, rebuildInitramfs } from './remedies.ts';

/** What is claimed for vfio-pci while the host boots. */
export const VFIO_BOOT_CHECKS: readonly Check[] = [
  {
    id: 'vfio.ids-known',
    title: 'Ids given to vfio-pci at boot',
    meaning:
      'vfio-pci.ids= names cards by vendor and device; ids that no card has are left over from another card.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        const none = claimedIds(checkup).filter((id) => matching(checkup, id).length === 0);
        if (isUnseen(checkup.parameters)) return unknown(checkup.parameters.unseen);
        return none.length === 0
          ? ok(
              claimedIds(checkup).length === 0
                ? 'No ids are given to vfio-pci at boot'
                : 'Every id given to vfio-pci has its card',
            )
          : warn(
              `No function has the id ${none.join(', ')} that vfio-pci is given`,
              'Take it out of vfio-pci.ids= on the kernel’s command line or of /etc/modprobe.d, and write that of the present card',
            );
      }),
  },
  {
    id: 'vfio.ids-twins',
    title: 'Ids that several cards have',
    meaning: 'Identical cards have the same ids: vfio-pci.ids takes them all, the host’s own too.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        if (isUnseen(checkup.parameters)) return unknown(checkup.parameters.unseen);
        const twins = claimedIds(checkup)
          .map((id) => matching(checkup, id))
          .filter((found) => found.length > 1);
        return twins.length === 0
          ? ok('No id given to vfio-pci means more than one card')
          : fail(
              `The ids of ${namedAll(
                checkup,
                twins.flat().map(({ address }) => address),
              )} are the same: vfio-pci takes them all`,
              'Leave the ids out and let passqemu take the card by its address when the guest starts; to claim one at boot use a udev rule: ACTION=="add", SUBSYSTEM=="pci", KERNEL=="' +
                twins[0]!.at(-1)!.address +
                '", ATTR{driver_override}="vfio-pci"',
            );
      }),
  },
  {
    id: 'vfio.ids-taken',
    title: 'Cards claimed at boot are on vfio-pci',
    meaning:
      'Where the graphics driver loads first it keeps the card; a soft dependency makes it wait for vfio-pci.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        if (isUnseen(checkup.parameters)) return unknown(checkup.parameters.unseen);
        const missed = claimedIds(checkup)
          .flatMap((id) => matching(checkup, id))
          .filter(({ isVfio, driver }) => !isVfio && driver !== null);
        if (missed.length === 0)
          return ok(
            claimedIds(checkup).length === 0
              ? 'No cards are claimed at boot'
              : 'Every claimed card is on vfio-pci',
          );
        const drivers = [...new Set(missed.map(({ driver }) => driver!.replaceAll('-', '_')))];
        return fail(
          `${namedAll(
            checkup,
            missed.map(({ address }) => address),
          )} should be on vfio-pci and is on ${drivers.join(', ')}`,
          addModprobeLines(
            checkup,
            drivers.map((driver) => `softdep ${driver} pre: vfio-pci`),
          ),
        );
      }),
  },
  {
    id: 'vfio.softdep-builtin',
    title: 'Soft dependencies of built-in drivers',
    meaning:
      'A driver that is part of the kernel never waits for vfio-pci: softdep and blacklist mean nothing to it.',
    judge: ({ modprobe, virtualization }) => {
      const { builtIn } = virtualization;
      const wanted = modprobe.filter(
        (line) =>
          (line.command === 'softdep' && line.before.some((one) => one.startsWith('vfio'))) ||
          line.command === 'blacklist',
      );
      if (builtIn === null)
        return unknown('there is no list of what is part of the kernel (modules.builtin)');
      const useless = wanted.filter(({ module }) => builtIn.has(module));
      return useless.length === 0
        ? ok('No soft dependency or blacklist is about a driver that is part of the kernel')
        : warn(
            `${useless.map(({ command, module, file }) => `${command} ${module} (${file})`).join(', ')} has no effect: the driver is part of the kernel`,
            'Leave the function to its driver at boot and let passqemu take it when the guest starts (no blacklist, no softdep)',
          );
    },
  },
  {
    id: 'vfio.initramfs',
    title: 'vfio-pci in the initramfs',
    meaning:
      'Cards claimed at boot are lost to the graphics driver of the initramfs unless vfio-pci is in it too.',
    judge: (checkup) => {
      if (checkup.initramfsHasVfio === null)
        return isUnseen(checkup.parameters)
          ? unknown(checkup.parameters.unseen)
          : ok('No cards are claimed at boot, so the initramfs need not have it');
      if (checkup.virtualization.builtIn?.has('vfio_pci')) return ok('vfio-pci is part of the kernel');
      return withSeen(checkup.initramfsHasVfio, (has) => {
        if (has) return ok('The initramfs has vfio-pci');
        const missed = claimedIds(checkup)
          .flatMap((id) => matching(checkup, id))
          .some(({ isVfio }) => !isVfio);
        const remedy = putVfioIntoInitramfs(checkup);
        return missed
          ? fail('Cards are claimed at boot and the initramfs has no vfio-pci', remedy)
          : warn(
              'The initramfs has no vfio-pci',
              remedy,
              'This time the cards got to vfio-pci all the same.',
            );
      });
    },
  },
  {
    id: 'vfio.blacklist',
    title: 'Blacklists of graphics drivers',
    meaning:
      'A blacklisted driver is missing for the host’s own card of the same make as well; taking cards by address needs no blacklist.',
    judge: (checkup) =>
      withSeen(checkup.functions, () => {
        const listed = checkup.modprobe
          .filter((line) => line.command === 'blacklist')
          .map(({ module }) => module);
        const own = checkup.cards.find(
          ({ fn }) => fn.driver === null && (fn.bootVga || checkup.cards.length === 1),
        );
        const missing =
          own === undefined ? [] : driversOf(own.fn).filter((driver) => listed.includes(driver));
        if (own === undefined || missing.length === 0)
          return ok('No blacklist leaves the host’s own card without a driver');
        return warn(
          `${namedAll(checkup, [own.fn.address])}, the host’s own, has no driver: ${missing.join(', ')} is blacklisted`,
          `Remove the line "blacklist ${missing[0]}" (grep -r blacklist /etc/modprobe.d), then ${rebuildInitramfs(checkup)} and reboot`,
        );
      }),
  },
];

/** "10de:2684" and the like, from the kernel's command line and from modprobe's options. */
function claimedIds({ parameters, modprobe }: Checkup): readonly string[] {
  const options = modprobe.flatMap((line) =>
    line.command === 'options' && line.module === 'vfio_pci' ? (line.options.ids ?? '').split(',') : [],
  );
  const words = [...wordsOf(seenOr(parameters, []), 'vfio_pci.ids'), ...options];
  return [...new Set(words.map((word) => word.toLowerCase().split(':').slice(0, 2).join(':')))].filter((id) =>
    /^[0-9a-f]{4}:[0-9a-f]{4}$/.test(id),
  );
}

function matching(checkup: Checkup, id: string): readonly PciFunction[] {
  return functionsOf(checkup).filter(({ vendorId, deviceId }) => `${vendorId}:${deviceId}` === id);
}

/** The host drivers that a make of graphics card has. */
function driversOf({ vendorId }: PciFunction): readonly string[] {
  if (vendorId === '10de') return ['nouveau', 'nvidia'];
  if (vendorId === '1002') return ['amdgpu', 'radeon'];
  return vendorId === '8086' ? ['i915', 'xe'] : [];
}
