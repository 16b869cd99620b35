import type { GuestCheckup } from '../host/guest-checkup.ts';
import { isUnseen } from '../words/seen.ts';
import { type Check, fail, ok, unknown, warn } from './check.ts';
import { withXml } from './with-guest.ts';

/** What of a guest lies in files and nodes. */
export const GUEST_FILE_CHECKS: readonly Check[] = [
  {
    id: 'guest.event-devices',
    title: 'Input devices of the guest',
    meaning:
      'evdev input is given by a path; eventN changes at each boot, the names in /dev/input/by-id stay.',
    judge: (checkup) =>
      withXml(checkup, (xml, guest) => {
        const state = missingOf(guest, xml.evdev);
        if (state.hidden !== null) return unknown(state.hidden);
        if (state.gone.length > 0)
          return fail(
            `There is no ${state.gone.join(', ')}`,
            'Plug it in, or choose a name that is there (ls -l /dev/input/by-id)',
          );
        const loose = xml.evdev.filter((path) => /^\/dev\/input\/event\d+$/.test(path));
        return loose.length > 0
          ? warn(
              `${loose.join(', ')} is another device after the next boot`,
              'Use its name in /dev/input/by-id (ls -l /dev/input/by-id)',
            )
          : ok(
              xml.evdev.length === 0 ? 'The guest has no evdev input' : 'The guest’s input devices are there',
            );
      }),
  },
  {
    id: 'guest.disks',
    title: 'Disks of the guest',
    meaning:
      'A disk image or block device that is not there keeps the guest from starting, after the hook has done its work.',
    judge: (checkup) =>
      withXml(checkup, (xml, guest) => {
        const state = missingOf(
          guest,
          xml.disks.map(({ source }) => source),
        );
        if (state.gone.length > 0)
          return fail(
            `There is no ${state.gone.join(', ')}`,
            'Put it there (is the file system mounted?), or correct <disk>',
          );
        return state.hidden === null
          ? ok(
              xml.disks.length === 0
                ? 'The guest has no files or block devices as disks'
                : 'The guest’s disks are there',
            )
          : unknown(state.hidden);
      }),
  },
  {
    id: 'guest.block-names',
    title: 'Stable names of block devices',
    meaning:
      '/dev/sdb or /dev/nvme1n1 may be another disk after the next boot: the guest would get, and write to, the wrong one.',
    judge: (checkup) =>
      withXml(checkup, (xml) => {
        const loose = xml.disks
          .filter(({ source }) => /^\/dev\/(?:sd[a-z]+\d*|nvme\d+n\d+(?:p\d+)?|vd[a-z]+\d*)$/.test(source))
          .map(({ source }) => source);
        return loose.length === 0
          ? ok('No disk is named by a number that may change')
          : warn(
              `${loose.join(', ')} may be another disk after the next boot`,
              'Use its name in /dev/disk/by-id (ls -l /dev/disk/by-id)',
            );
      }),
  },
  {
    id: 'guest.slow-devices',
    title: 'Emulated disks and network cards',
    meaning:
      'SATA, IDE and e1000 are emulated register by register; virtio is several times as fast and leaves the CPUs to the guest.',
    judge: (checkup) =>
      withXml(checkup, (xml) => {
        const disks = xml.disks
          .filter(({ device, bus }) => device === 'disk' && ['ide', 'sata'].includes(bus ?? ''))
          .map(({ source }) => source);
        const cards = xml.interfaces
          .filter(
            ({ type, model }) => type !== 'hostdev' && ['e1000', 'e1000e', 'rtl8139'].includes(model ?? ''),
          )
          .map(({ model }) => model);
        return disks.length + cards.length === 0
          ? ok('Disks and network cards are virtio, passed, or chosen by libvirt')
          : warn(
              [
                ...disks.map((disk) => `${disk} is on SATA or IDE`),
                ...cards.map((card) => `a network card is ${card}`),
              ].join(', '),
              'Install the virtio drivers in the guest (virtio-win), then <target bus="virtio"/> and <model type="virtio"/>',
            );
      }),
  },
  {
    id: 'guest.rom-files',
    title: 'ROM files of the guest',
    meaning:
      'A ROM file that is missing or is none leaves the card dark; a dump from Windows often has a header before the ROM (55 aa).',
    judge: (checkup) =>
      withXml(checkup, (xml, guest) => {
        const files = xml.roms.flatMap(({ file }) => file ?? []);
        const state = missingOf(guest, files);
        if (state.gone.length > 0)
          return fail(
            `There is no ${state.gone.join(', ')}`,
            'Put the file there (libvirt’s user must be able to read it), or take <rom file="…"/> out',
          );
        if (state.hidden !== null) return unknown(state.hidden);
        const odd = files.filter((file) => guest.romsBegin.get(file) === false);
        return odd.length === 0
          ? ok(files.length === 0 ? 'The guest has no ROM files' : 'The ROM files begin as ROMs do')
          : fail(
              `${odd.join(', ')} does not begin as a ROM does`,
              'passqemu rom check says what it is and where to cut it',
            );
      }),
  },
];

/** Which of these paths are not there, and why some could not be looked for. */
function missingOf(
  { paths }: GuestCheckup,
  wanted: readonly string[],
): { readonly gone: readonly string[]; readonly hidden: string | null } {
  const gone: string[] = [];
  let hidden: string | null = null;
  for (const path of wanted) {
    const facts = paths.get(path);
    if (facts === undefined) continue;
    if (isUnseen(facts)) hidden ??= facts.unseen;
    else if (facts.value === null) gone.push(path);
  }
  return { gone, hidden };
}
