import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { isUnseen, type Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { lookFor } from './look.ts';
import { type PciFunction, pciFolder } from './pci-function.ts';

/** A range of physical addresses, both ends in it. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** A display function with what is asked about cards only. */
export interface DisplayCard {
  readonly fn: PciFunction;
  /** The memory windows that firmware or kernel gave it. */
  readonly windows: readonly AddressRange[];
  /** Memory windows that nobody gave an address. */
  readonly unassigned: number;
  /** Whether it has an option ROM to read. */
  readonly hasRom: boolean;
  /** "card1", "renderD129". */
  readonly drmNodes: readonly string[];
}

/** What of /proc/iomem belongs to a framebuffer that firmware set up. */
export interface BootFramebuffer extends AddressRange {
  readonly name: string;
}

/** The display functions of the machine. */
export function readDisplayCards(host: Host, functions: Iterable<PciFunction>): readonly DisplayCard[] {
  return [...functions]
    .filter(({ classCode }) => pciKind(classCode) === 'display')
    .map((fn) => {
      const folder = pciFolder(fn.address);
      const regions = parseRegions(host.readOptional(`${folder}/resource`) ?? '');
      return {
        fn,
        windows: regions.filter(({ first }) => first !== 0n),
        unassigned: regions.filter(({ first }) => first === 0n).length,
        hasRom: host.exists(`${folder}/rom`),
        drmNodes: host.list(`${folder}/drm`).filter((name) => /^(?:card|renderD)\d+$/.test(name)),
      };
    });
}

/** The memory regions among the first six lines of `resource` (flag 0x200, include/linux/ioport.h). */
export function parseRegions(text: string): readonly AddressRange[] {
  return text.split('\n', 6).flatMap((line) => {
    const match = /^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})$/i.exec(line.trim());
    if (match === null || (BigInt(`0x${match[3]}`) & 0x200n) === 0n) return [];
    return [{ first: BigInt(`0x${match[1]}`), last: BigInt(`0x${match[2]}`) }];
  });
}

/** Framebuffers of the firmware that /proc/iomem shows; ordinary users see zeros instead of addresses. */
export function readBootFramebuffers(host: Host): Seen<readonly BootFramebuffer[]> {
  const text = lookFor(host, '/proc/iomem');
  if (isUnseen(text)) return text;
  const ranges = parseIomem(text.value);
  if (ranges.length > 0 && ranges.every(({ last }) => last === 0n))
    return { unseen: '/proc/iomem shows its addresses to root only (EPERM)' };
  return {
    value: ranges.filter(({ name }) =>
      /^(?:BOOTFB|efifb|simplefb|simpledrm|vesafb|simple-framebuffer)\b/i.test(name),
    ),
  };
}

/** Reads "  e0000000-e0ffffff : BOOTFB" lines. */
export function parseIomem(text: string): readonly BootFramebuffer[] {
  return [...text.matchAll(/^\s*([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.+)$/gm)].map(
    ([, first = '0', last = '0', name = '']) => ({
      first: BigInt(`0x${first}`),
      last: BigInt(`0x${last}`),
      name,
    }),
  );
}

/** Addresses of the form that Xorg's BusID has ("PCI:1:0:0", "PCI:1@0:0:0"), in configuration files, with the file. */
export interface XorgBusId {
  readonly file: string;
  readonly busId: string;
}

/** Whether an X server is installed, and which cards its configuration names. */
export function readXorg(host: Host): { readonly installed: boolean; readonly busIds: readonly XorgBusId[] } {
  const installed = ['/usr/lib/xorg/Xorg', '/usr/bin/Xorg', '/usr/libexec/Xorg'].some((path) =>
    host.exists(path),
  );
  const folders = ['/etc/X11/xorg.conf.d', '/usr/share/X11/xorg.conf.d'];
  const files = [
    '/etc/X11/xorg.conf',
    ...folders.flatMap((folder) => host.list(folder).map((name) => `${folder}/${name}`)),
  ].filter((file) => file.endsWith('.conf'));
  return {
    installed,
    busIds: files.flatMap((file) =>
      [...(host.readOptional(file) ?? '').matchAll(/^\s*BusID\s+"(PCI:[\d:@]{1,30})"/gim)].map(
        ([, busId = '']) => ({ file, busId }),
      ),
    ),
  };
}

/** A function's address as Xorg writes it (xorg.conf(5), BusID): decimal, bus@domain. */
export function formatXorgBusId(address: PciAddress): string {
  const [domain = '0', bus = '0', rest = ''] = address.split(':');
  const [device = '0', fn = '0'] = rest.split('.');
  const number = (text: string) => Number.parseInt(text, 16);
  const place = number(domain) === 0 ? `${number(bus)}` : `${number(bus)}@${number(domain)}`;
  return `PCI:${place}:${number(device)}:${number(fn)}`;
}
