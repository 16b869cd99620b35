import { hasResetBug } from '../plan/reset-bug.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { quotedLines } from './describe.ts';
import { cardNames, judgeLog, withCards } from './with-cards.ts';

/** Whether cards come back from a guest, and nobody holds them. */
export const GPU_RESET_CHECKS: readonly Check[] = [
  {
    id: 'gpu.reset',
    title: 'Cards can be reset',
    meaning:
      'A card that cannot be reset works for the first guest after boot; the next one finds it as the first left it.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        // The card that the host shows itself on is given away only where there is no other
        const without = cards.filter(
          ({ fn }) => !fn.resettable && fn.physicalFunction === null && (cards.length === 1 || !fn.bootVga),
        );
        return without.length === 0
          ? ok('The kernel can reset every graphics card that a guest may get')
          : warn(
              `The kernel has no reset for ${cardNames(checkup, without)}`,
              'Reboot the host between starts if the second one fails; for AMD cards up to Navi 1x install the module vendor-reset (github.com/gnif/vendor-reset)',
            );
      }),
  },
  {
    id: 'gpu.vendor-reset',
    title: 'AMD cards with the reset bug',
    meaning:
      'Polaris, Vega and Navi 1x do not survive the kernel’s bus reset: the second start shows nothing or hangs the host. The module vendor-reset has a reset that works.',
    judge: (checkup) =>
      withCards(checkup, (cards) => {
        const known = cards.filter(({ fn }) => hasResetBug(fn));
        if (known.length === 0) return ok('No card is one of those that need vendor-reset');
        const helped = known.every(({ fn }) => fn.resetMethods[0] === 'device_specific');
        return helped
          ? ok(`${cardNames(checkup, known)} has its own reset in use`)
          : warn(
              `${cardNames(checkup, known)} is known for the reset bug, and vendor-reset is not in use for it`,
              `Install vendor-reset with DKMS, load it at boot (modules-load.d), then: echo device_specific > /sys/bus/pci/devices/${known[0]!.fn.address}/reset_method (as root, before the first start)`,
            );
      }),
  },
  {
    id: 'gpu.reset-log',
    title: 'Signs of failed resets',
    meaning:
      'The card did not come back from a reset or from sleep: it reads as ff until the machine is suspended, or off for some seconds.',
    judge: (checkup) =>
      judgeLog(
        checkup,
        /vfio-pci .*(?:not ready \d+ms after|reset failed|Unable to change power state from D3cold|stuck in D3)|(?:Unable to change power state from D3cold to D0)/,
        (lines) =>
          fail(
            'A passed card did not come back from a reset',
            'Suspend the host once (systemctl suspend) or power it off; then keep the card awake: options vfio-pci disable_idle_d3=1, and install vendor-reset for AMD cards up to Navi 1x',
            `${quotedLines(lines)}.`,
          ),
      ),
  },
  {
    id: 'gpu.nvidia-daemon',
    title: 'Daemons that hold NVIDIA cards',
    meaning:
      'Unbinding an NVIDIA card that anybody holds open never ends, and takes the card with it until reboot.',
    judge: ({ processes, cards, functions }) =>
      withSeen(functions, () => {
        if (processes.length === 0) return unknown('/proc lists no processes');
        const held = cards.some(({ fn }) => fn.driver === 'nvidia');
        const daemons = processes.filter(({ comm }) =>
          /^(?:nvidia-persiste|nvidia-powerd|nv-hostengine|dcgm)/.test(comm),
        );
        return !held || daemons.length === 0
          ? ok('No daemon of NVIDIA’s holds a card')
          : warn(
              `${daemons.map(({ comm, pid }) => `${comm} (process ${pid})`).join(', ')} holds the NVIDIA cards`,
              'systemctl disable --now nvidia-persistenced nvidia-powerd (as far as they are there), or stop them in the profile’s prepare-first command',
            );
      }),
  },
  {
    id: 'gpu.wedged',
    title: 'Writes that hang',
    meaning:
      'A write to unbind that does not end holds the card’s lock: nobody can bind, reset or ask it any more, and only a reboot helps.',
    judge: ({ blocked, processes }) => {
      if (processes.length === 0) return unknown('/proc lists no processes');
      const writers = blocked.filter(({ path }) => path !== null);
      return writers.length === 0
        ? ok('Nobody is in the middle of a write to the PCI bus')
        : fail(
            writers.map(({ comm, pid, path }) => `${comm} (process ${pid}) has ${path} open`).join(', '),
            'Stop whatever has the device open (fuser -v /dev/nvidia* /dev/dri/* /dev/vfio/*); if the write does not end then, reboot. Never kill the writer: that makes it unkillable',
          );
    },
  },
  {
    id: 'gpu.hang-log',
    title: 'Signs of a device taken while in use',
    meaning: 'A driver was asked to let go of a device that somebody still had open, and waits for ever.',
    judge: (checkup) =>
      judgeLog(
        checkup,
        /NVRM: Attempting to remove device .* with non-zero usage count|No device request channel registered, blocked until released by user|task (?:rpc-|virtqemud|libvirtd|qemu|nvidia|vfio|tee|passqemu)\S* blocked for more than \d+ seconds/,
        (lines) =>
          fail(
            'A device was to be taken while it was in use',
            'End the program that has it (fuser -v /dev/nvidia* /dev/dri/* /dev/vfio/*); if that does not free it, reboot. passqemu looks for such programs before it unbinds',
            `${quotedLines(lines)}.`,
          ),
      ),
  },
];
