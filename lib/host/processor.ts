import { mapSeen, type Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { lookFor } from './look.ts';

/** What /proc/cpuinfo says of the first CPU; on ARM it says neither vendor nor flags. */
export interface Processor {
  readonly vendor: 'intel' | 'amd' | 'other';
  readonly model: string | null;
  readonly flags: ReadonlySet<string>;
  readonly physicalBits: number | null;
}

/** Reads the first CPU's paragraph: all that differs between cores is in sysfs. */
export function readProcessor(host: Host): Seen<Processor> {
  return mapSeen(lookFor(host, '/proc/cpuinfo'), parseProcessor);
}

/** Reads "name : value" lines up to the first empty one. */
export function parseProcessor(text: string): Processor {
  const values = new Map<string, string>();
  for (const line of text.split(/\n\s*\n/, 1)[0]!.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  const vendor = values.get('vendor_id') ?? '';
  const bits = /^(\d{1,3}) bits physical/.exec(values.get('address sizes') ?? '');
  return {
    vendor:
      vendor === 'GenuineIntel' ? 'intel' : /^(?:AuthenticAMD|HygonGenuine)$/.test(vendor) ? 'amd' : 'other',
    model: values.get('model name') ?? null,
    flags: new Set((values.get('flags') ?? '').split(' ').filter((flag) => flag !== '')),
    physicalBits: bits === null ? null : Number(bits[1]),
  };
}
