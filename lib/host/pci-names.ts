import type { Host } from './host.ts';
import type { PciFunction } from './pci-function.ts';

/** Gives functions the names that people know, or null. */
export type PciNames = (fn: Pick<PciFunction, 'vendorId' | 'deviceId'>) => string | null;

/** Where the distributions keep the list of the PCI ID project (pci-ids.ucw.cz): Debian and Arch, Fedora and openSUSE. */
export const PCI_ID_LISTS = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids'];

/** Reads the system's pci.ids once, for the functions given: "Intel Corporation 82574L Gigabit Network Connection". */
export function readPciNames(
  host: Host,
  functions: Iterable<Pick<PciFunction, 'vendorId' | 'deviceId'>>,
): PciNames {
  const text = PCI_ID_LISTS.map((path) => host.readOptional(path)).find((one) => one !== null) ?? '';
  const names = parsePciIds(text, idsOf(functions));
  return ({ vendorId, deviceId }) => names.get(`${vendorId}:${deviceId}`) ?? names.get(`${vendorId}`) ?? null;
}

/**
 * Reads the vendors and devices asked for out of a pci.ids: vendors start a line with four hex digits, their devices follow
 * with one tab, subsystems with two. Keys are "8086" and "8086:10d3".
 */
export function parsePciIds(
  text: string,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  let vendor = '';
  let vendorName = '';
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next;
    const isDevice = text[at] === '\t';
    if (!isDevice && text[at] !== '#') {
      vendor = text.slice(at, at + 4);
      vendorName = text.slice(at + 4, end).trim();
      if (wanted.has(vendor)) names.set(vendor, vendorName);
    } else if (isDevice && text[at + 1] !== '\t' && wanted.get(vendor)?.has(text.slice(at + 1, at + 5))) {
      names.set(`${vendor}:${text.slice(at + 1, at + 5)}`, `${vendorName} ${text.slice(at + 5, end).trim()}`);
    }
    at = end + 1;
  }
  return names;
}

/** Only the lines of a pci.ids that name these functions, for a copy that need not be large. */
export function shortenPciIds(
  text: string,
  functions: Iterable<Pick<PciFunction, 'vendorId' | 'deviceId'>>,
): string {
  const wanted = idsOf(functions);
  const names = parsePciIds(text, wanted);
  const lines = [...wanted].flatMap(([vendor, devices]) => {
    const name = names.get(vendor);
    if (name === undefined) return [];
    const known = [...devices].filter((device) => names.has(`${vendor}:${device}`)).sort();
    return [
      `${vendor}  ${name}`,
      ...known.map((device) => `\t${device}  ${names.get(`${vendor}:${device}`)!.slice(name.length + 1)}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function idsOf(functions: Iterable<Pick<PciFunction, 'vendorId' | 'deviceId'>>): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const { vendorId, deviceId } of functions) {
    if (vendorId === null) continue;
    const devices = wanted.get(vendorId) ?? new Set();
    wanted.set(vendorId, deviceId === null ? devices : devices.add(deviceId));
  }
  return wanted;
}
