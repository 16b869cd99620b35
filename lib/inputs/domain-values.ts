import type { CpuSet } from '../words/cpu-list.ts';

/** libvirt's own limit for CPU and node numbers (VIR_DOMAIN_CPUMASK_LEN). */
const LARGEST_NUMBER = 16_383;

/**
 * Reads a set as libvirt writes it in cpuset='' and nodeset='': "1-4,^3,6". Terms count from left to right, so that
 * "^3" takes away only what stands before it; an exclusion is one number. Null where it is not one or nothing is left.
 * See "CPU Allocation" in libvirt's formatdomain.
 */
export function parseLibvirtSet(text: string): CpuSet | null {
  const numbers = new Set<number>();
  for (const term of text.split(',')) {
    const match = /^\s*(\^?)(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(term);
    if (match === null) return null;
    const [, not = '', from = '', to] = match;
    const first = Number(from);
    const last = to === undefined ? first : Number(to);
    if (last < first || last > LARGEST_NUMBER || (not !== '' && to !== undefined)) return null;
    for (let number = first; number <= last; number++) {
      if (not === '') numbers.add(number);
      else numbers.delete(number);
    }
  }
  return numbers.size === 0 ? null : [...numbers].sort((a, b) => a - b);
}

/**
 * Reads an amount of memory with libvirt's units, in KiB, rounded up: none is KiB, "k" and "KiB" are 1024 bytes, "KB" is 1000,
 * "b" and "bytes" are bytes, up to "EiB"; case does not matter. See "Memory Allocation" in formatdomain.
 */
export function parseLibvirtMemoryKib(text: string, unit: string | null): number | null {
  const digits = text.trim();
  const bytesOfUnit = unitBytes(unit ?? '');
  if (!/^\d{1,20}$/.test(digits) || bytesOfUnit === null) return null;
  const kib = (BigInt(digits) * bytesOfUnit + 1023n) / 1024n;
  return kib <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(kib) : null;
}

function unitBytes(unit: string): bigint | null {
  const name = unit.toLowerCase();
  if (name === '') return 1024n;
  if (name === 'b' || name === 'byte' || name === 'bytes') return 1n;
  const match = /^([kmgtpe])(ib|b)?$/.exec(name);
  return match === null
    ? null
    : (match[2] === 'b' ? 1000n : 1024n) ** BigInt('kmgtpe'.indexOf(match[1]!) + 1);
}

/** Reads a number as C does where libvirt leaves the base open: "0x1f", "31", and "037" in base eight; up to 32 bits. */
export function parseLibvirtNumber(text: string): number | null {
  const digits = text.trim().toLowerCase();
  const isNumber = /^(?:0x[0-9a-f]{1,8}|0[0-7]{0,11}|[1-9]\d{0,9})$/.test(digits);
  if (!isNumber) return null;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return value <= 0xffffffff ? value : null;
}

/** Reads a UUID with or without its dashes, in lower case with dashes, or gives null. */
export function parseUuid(text: string): string | null {
  const match = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/.exec(
    text.trim().toLowerCase(),
  );
  return match === null ? null : match.slice(1).join('-');
}
