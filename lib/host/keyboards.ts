import { visible } from '../inputs/parsed.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { behindPath } from './block-devices.ts';
import type { Host } from './host.ts';
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
  const wanted = new Set<string>(addresses);
  const all = readKeyboards(host).map(({ name, path }) => ({ name, address: behindPath(path, wanted) }));
  const left = all.some(({ address }) => address === null);
  return all.flatMap(({ name, address }) =>
    address === null
      ? []
      : [
          {
            address,
            why: 'usb-keyboard' as const,
            what: name,
            on: name,
            severity: left ? ('note' as const) : ('warn' as const),
          },
        ],
  );
}

/** The last word of the kernel's bit map (highest first) has the keys 1 to 31: Escape, digits, the upper rows of letters. */
function hasLetters(bits: string): boolean {
  const last = bits.split(' ').at(-1) ?? '';
  return /^[0-9a-f]{1,16}$/.test(last) && (BigInt(`0x${last}`) & 0xfffffffen) === 0xfffffffen;
}
