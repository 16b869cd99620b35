import { visible } from '../inputs/parsed.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import { behindPath } from './block-devices.ts';
import type { Host } from './host.ts';
import { pciFolder } from './pci-function.ts';
import type { Use } from './uses.ts';

/** A keyboard that people type on. */
export interface Keyboard {
  readonly name: string;
  /** Its folder below /sys/devices. */
  readonly path: string;
}

/** The keyboards of the machine: input devices that have Escape, the digits and the letters (udev asks the same way). */
export function readKeyboards(host: Host): Keyboard[] {
  return host.list('/sys/class/input').flatMap((entry) => {
    if (!/^input\d+$/.test(entry)) return [];
    const folder = `/sys/class/input/${entry}`;
    if (!hasLetters(host.readOptional(`${folder}/capabilities/key`) ?? '')) return [];
    const path = host.realPath(folder);
    const name = visible(host.readOptional(`${folder}/name`) ?? '');
    return path === null ? [] : [{ name: name === '' ? entry : name, path }];
  });
}

/** Keyboards that go away with these functions: a warning where none is left, else a note. */
export function readKeyboardUses(host: Host, addresses: readonly PciAddress[]): Use[] {
  // Nothing but USB carries keyboards, and an odd bus of a laptop: the rest need not be looked at
  const carriers = addresses.filter((address) => {
    const classCode = (host.readOptional(`${pciFolder(address)}/class`) ?? '').slice(2);
    return ['usb', 'other'].includes(pciKind(classCode));
  });
  if (carriers.length === 0) return [];
  const wanted = new Set<string>(carriers);
  const all = readKeyboards(host).map(({ name, path }) => ({ name, behind: behindPath(path, wanted) }));
  const severity = all.some(({ behind }) => behind.length === 0) ? 'note' : 'warn';
  return all.flatMap(({ name, behind }) =>
    behind.map(
      (address) => ({ address, why: 'usb-keyboard' as const, what: name, on: name, severity }) as const,
    ),
  );
}

/** The last word of the kernel's bit map (highest first) has the keys 1 to 31: Escape, digits, the upper rows of letters. */
function hasLetters(bits: string): boolean {
  const last = bits.split(' ').at(-1) ?? '';
  return /^[0-9a-f]{1,16}$/.test(last) && (BigInt(`0x${last}`) & 0xfffffffen) === 0xfffffffen;
}
