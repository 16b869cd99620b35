import { type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';

/** A frame buffer of the kernel (/dev/fb0): whose it is. */
export interface FrameBuffer {
  readonly id: string;
  /** "bochs-drmdrmfb", "EFI VGA". */
  readonly name: string;
  readonly address: PciAddress | null;
}

/** A frame buffer that the firmware left behind, as a platform device. */
export interface FirmwareFrameBuffer {
  /** "efi-framebuffer.0". */
  readonly device: string;
  readonly driver: string | null;
  /** The card in whose memory it lies; null where that cannot be told. */
  readonly address: PciAddress | null;
  /** The device itself claims that memory ("BOOTFB" in /proc/iomem), with a driver or without: nothing but its end gives it back. */
  readonly claims: boolean;
}

/** The kernel's frame buffers. See Documentation/fb/api.rst and /sys/class/graphics. */
export function readFrameBuffers(host: Host, firmware: readonly FirmwareFrameBuffer[]): FrameBuffer[] {
  return host
    .list('/sys/class/graphics')
    .filter((id) => /^fb\d+$/.test(id))
    .map((id) => {
      const folder = `/sys/class/graphics/${id}`;
      const address =
        cardOf(host.realPath(folder) ?? '', firmware) ??
        cardOf(host.realPath(`${folder}/device`) ?? '', firmware);
      return { id, name: host.readOptional(`${folder}/name`) ?? id, address };
    });
}

/** The card behind a path below /sys/devices: one that leads through it, or through the firmware's frame buffer that lies in its memory. */
export function cardOf(path: string, firmware: readonly FirmwareFrameBuffer[]): PciAddress | null {
  const parts = path.split('/');
  return addressIn(path) ?? firmware.find(({ device }) => parts.includes(device))?.address ?? null;
}

/** The firmware's frame buffers, and in which card's memory each lies, by /proc/iomem (drivers/firmware/sysfb.c). */
export function readFirmwareFrameBuffers(host: Host): FirmwareFrameBuffer[] {
  const memory = host.readOptional('/proc/iomem') ?? '';
  const owner = parseFirmwareOwner(memory);
  const claims = /^ *\S+ : BOOTFB$/m.test(memory);
  return host
    .list('/sys/bus/platform/devices')
    .filter((name) => /^(?:efi|simple|vesa|coreboot)-?framebuffer\.\d+$/.test(name))
    .map((device) => ({
      device,
      driver: host.linkName(`/sys/bus/platform/devices/${device}/driver`),
      address: addressIn(host.realPath(`/sys/bus/platform/devices/${device}`) ?? '') ?? owner,
      claims,
    }));
}

const FIRMWARE = /^(?:BOOTFB|efifb|simplefb|simpledrm|simple-framebuffer|vesafb)/;
/** Claims of drivers, which end with the last user of their frame buffer. */
export const DRIVERS_CLAIMS = /^(?:efifb|simplefb|simpledrm|vesafb)/;

/** The function inside whose memory the firmware's picture lies. The tree is told by its indentation, so hidden numbers (an ordinary user's view) do not matter. */
export function parseFirmwareOwner(text: string, claims = FIRMWARE): PciAddress | null {
  const above: (PciAddress | null)[] = [];
  for (const line of text.split('\n')) {
    const match = /^( *)\S+ : (.*)$/.exec(line);
    if (match === null) continue;
    const depth = match[1]!.length / 2;
    const name = match[2]!.trim();
    above.length = depth;
    if (claims.test(name)) return above.findLast((one) => one != null) ?? null;
    above[depth] = parsePciAddress(name);
  }
  return null;
}

/** The last PCI function that a path below /sys/devices leads through. */
function addressIn(path: string): PciAddress | null {
  return (
    path
      .split('/')
      .map((part) => parsePciAddress(part))
      .findLast((one) => one !== null) ?? null
  );
}
