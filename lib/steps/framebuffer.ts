import { DRIVERS_CLAIMS, parseFirmwareOwner } from '../host/frame-buffers.ts';
import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';
import type { StepKind } from './step-kind.ts';
import { refuseWhileTaken } from './still-taken.ts';
import { waitUntil } from './wait-until.ts';

const LOOK_MS = 2_000;

/**
 * Takes the frame buffer that the firmware left behind (efi-framebuffer.0, simple-framebuffer.0) from its driver, which holds a
 * part of the card's memory. After vfio-pci had a card that is a VGA controller the kernel has deleted that device: it is then
 * gone until the next boot, and no undo can help that (aperture_remove_conflicting_pci_devices, drivers/video/aperture.c).
 */
export const framebufferKind: StepKind<'framebuffer'> = {
  writesSlowly: true,
  describe: ({ device, driver }) => `unbind ${device} from ${driver}`,
  describeUndo: ({ device, driver }, was) =>
    was.bound ? `give ${device} back to ${driver}` : `leave ${device} without a driver`,

  observe: (step, { host }) => ({ bound: boundTo(host, step) === step.driver }),

  async apply(step, was, { host }) {
    if (!was.bound) return null;
    await host.writeSlowly(`${driverFolder(step)}/unbind`, `${step.device}\n`, step.deadlineMs);
    if (!(await waitUntil(host, LOOK_MS, () => boundTo(host, step) === null)))
      throw new HostError(
        `Cannot unbind ${step.device} from ${step.driver}: the kernel took the request, but it is still bound`,
        { path: `${driverFolder(step)}/unbind` },
      );
    // VFIO could not have that BAR: "can't reserve"
    const isFree = () => {
      const owner = parseFirmwareOwner(host.readOptional('/proc/iomem') ?? '', DRIVERS_CLAIMS);
      return owner === null || !step.functions.includes(owner);
    };
    if (await waitUntil(host, LOOK_MS, isFree)) return null;
    throw new HostError(
      `Cannot free the memory that ${step.device} has of the card: its driver is gone, but a program still has the frame buffer open`,
      { path: '/proc/iomem', hint: 'See who (fuser -v /dev/fb*), stop it, and start the guest again' },
    );
  },

  async undo(step, was, _got, context) {
    const { host, note } = context;
    if (!was.bound) return;
    refuseWhileTaken(`give ${step.device} back to ${step.driver}`, step.functions, context);
    if (!host.exists(deviceFolder(step))) {
      const isDriven = step.functions.some((address) =>
        host.exists(`/sys/bus/pci/devices/${address}/driver`),
      );
      const picture = isDriven
        ? "the card's own driver has the picture now"
        : 'the screen stays dark till then';
      note(`${step.device} is gone until the next boot: ${picture}`);
      return;
    }
    if (boundTo(host, step) !== null) return;
    const refusal = await bind(host, step);
    if (refusal === null) return;
    // Its driver does not find what the firmware had set up: nothing but a boot brings that back
    if (refusal.code !== 'ENODEV') throw refusal;
    const again = await bind(host, step);
    if (again === null) return;
    if (again.code !== 'ENODEV') throw again;
    note(`${step.device} does not come back before the next boot: its driver does not take it any more`);
  },

  drift: (step, was, _got, { host }) =>
    was.bound && boundTo(host, step) !== null ? `${step.device} is bound again` : null,
};

async function bind(host: Host, step: StepOf<'framebuffer'>): Promise<HostError | null> {
  try {
    await host.writeSlowly(`${driverFolder(step)}/bind`, `${step.device}\n`, step.deadlineMs);
    return null;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return boundTo(host, step) === step.driver ? null : error;
  }
}

function deviceFolder({ device }: StepOf<'framebuffer'>): string {
  return `/sys/bus/platform/devices/${device}`;
}

function driverFolder({ driver }: StepOf<'framebuffer'>): string {
  return `/sys/bus/platform/drivers/${driver}`;
}

function boundTo(host: Host, step: StepOf<'framebuffer'>): string | null {
  return host.linkName(`${deviceFolder(step)}/driver`);
}
