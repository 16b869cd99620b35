import { formatXorgBusId } from '../host/graphics.ts';
import { type Check, fail, ok, warn } from './check.ts';
import { cardNames, withCards } from './with-cards.ts';

/** Which of several cards the desktop uses. */
export const GPU_DESKTOP_CHECKS: readonly Check[] = [
  {
    id: 'gpu.xorg-card',
    title: 'The card that X uses',
    meaning:
      'With two cards X may start on the one meant for guests, or fail when it is gone; a BusID ties it to the host’s card.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const { installed, busIds } = checkup.xorg;
        if (!installed || cards.length < 2)
          return ok(installed ? 'There is one card for X' : 'No X server is installed');
        const own = cards.find(({ fn }) => fn.bootVga && !fn.isVfio) ?? cards.find(({ fn }) => !fn.isVfio);
        if (own === undefined)
          return warn('Every card is on vfio-pci: X has none', 'Leave one card with its driver');
        const wrong = busIds.find(({ busId }) =>
          cards.some(({ fn }) => fn.isVfio && sameBusId(busId, formatXorgBusId(fn.address))),
        );
        const snippet = `Write to /etc/X11/xorg.conf.d/10-host-card.conf: Section "Device" / Identifier "host" / BusID "${formatXorgBusId(own.fn.address)}" / EndSection (a line each)`;
        if (wrong !== undefined)
          return fail(`${wrong.file} names ${wrong.busId}, a card on vfio-pci`, snippet);
        return busIds.length > 0
          ? ok(`X is tied to ${busIds.map(({ busId }) => busId).join(', ')}`)
          : warn('X is free to choose among several cards', snippet);
      }),
  },
  {
    id: 'gpu.render-nodes',
    title: 'Cards that desktop programs can open',
    meaning:
      'Chromium, Firefox and the desktop open every card with a host driver; one that a guest shall have is then held, and cannot be taken while they run.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const open = cards.filter(({ fn, drmNodes }) => drmNodes.length > 0 && !fn.bootVga);
        if (open.length === 0 || cards.length < 2)
          return ok('Only the host’s own card has nodes in /dev/dri');
        const own = cards.find(({ fn }) => fn.bootVga);
        const render = own?.drmNodes.find((name) => name.startsWith('renderD'));
        return warn(
          `${cardNames(checkup, open)} can be opened as ${open.flatMap(({ drmNodes }) => drmNodes).join(', ')}`,
          `Claim it for vfio-pci at boot, or tie programs to the host’s card: chromium --render-node-override=/dev/dri/${render ?? 'renderD128'}; for Wayland set KWIN_DRM_DEVICES (KDE), WLR_DRM_DEVICES (wlroots) or a udev rule TAG+="mutter-device-ignore" (GNOME)`,
        );
      }),
  },
];

function sameBusId(one: string, other: string): boolean {
  const plain = (id: string) => id.toUpperCase().replace('@0:', ':');
  return plain(one) === plain(other);
}
