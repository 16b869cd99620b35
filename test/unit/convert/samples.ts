import { readFileSync } from 'node:fs';
import type { ImportHost } from '../../../lib/convert/imported.ts';
import { parseProfileText } from '../../../lib/inputs/profile-text.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';

/** A profile of samples/. */
export function readSample(name: string): string {
  return readFileSync(new URL(`./samples/${name}`, import.meta.url), 'utf8');
}

/** A profile that sets what libvirt knows too, one key of nearly every sort. */
export const WHOLE = readSample('whole.ini');

/** Where the labels of WHOLE are. */
export const FUNCTIONS: ReadonlyMap<string, PciAddress> = new Map(
  Object.entries({ gpu: '0000:01:00.0', sound: '0000:01:00.1', nic: '0000:02:00.0' }) as [
    string,
    PciAddress,
  ][],
);

/** A host that knows nothing but addresses. */
export const USUAL_UUID = 'aaaaaaaa-1d52-48f3-9516-782e98ab3fa0';
export const NO_HOST: ImportHost = {
  usualUuid: () => USUAL_UUID,
  about: () => ({ kind: 'device', identity: null, comment: 'not looked at' }),
  functionsOf: () => [],
};

/** What a profile sets, as "[section] key = value", sorted. */
export function linesOf(profile: string): string[] {
  const { entries, problems } = parseProfileText(profile);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return [...entries.values()].map(({ section, key, value }) => `[${section}] ${key} = ${value}`).sort();
}
