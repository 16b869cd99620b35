/** A set of CPU or node numbers, ascending and without doubles. */
export type CpuSet = readonly number[];

/** More CPUs than any kernel of today can be built for; keeps "0-4000000000" from eating the memory. */
const LARGEST_CPU = 65_535;

/**
 * Reads a kernel list: "0-3,8", strides "0-62:2", "0-15:2/4" (2 of every 4), empty text for no CPU; a trailing NUL is ignored.
 * Gives null where it is not one. See Documentation/admin-guide/kernel-parameters.rst, "cpu lists".
 */
export function parseCpuList(text: string): CpuSet | null {
  const clean = text.replaceAll('\0', '').trim();
  if (clean === '') return [];
  const cpus = new Set<number>();
  for (const part of clean.split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6})(?:\/(\d{1,6}))?)?)?$/.exec(part.trim());
    if (match === null) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const used = match[4] === undefined ? 1 : Number(match[3]);
    const group = match[4] !== undefined ? Number(match[4]) : match[3] !== undefined ? Number(match[3]) : 1;
    if (last < first || last > LARGEST_CPU || group < 1 || used < 1 || used > group) return null;
    for (let start = first; start <= last; start += group) {
      for (let cpu = start; cpu < start + used && cpu <= last; cpu++) cpus.add(cpu);
    }
  }
  return [...cpus].sort((a, b) => a - b);
}

/** Writes a set as the kernel does: "0-3,8"; the empty set is the empty text. */
export function formatCpuList(cpus: CpuSet): string {
  const parts: string[] = [];
  for (let at = 0; at < cpus.length; ) {
    let end = at;
    while (end + 1 < cpus.length && cpus[end + 1] === cpus[end]! + 1) end++;
    parts.push(at === end ? `${cpus[at]}` : `${cpus[at]}-${cpus[end]}`);
    at = end + 1;
  }
  return parts.join(',');
}

/** Reads a hexadecimal mask as in /proc/irq/default_smp_affinity ("ff", "00000000,000000ff"), or gives null. */
export function parseCpuMask(text: string): CpuSet | null {
  const digits = text.replaceAll('\0', '').trim().replaceAll(',', '');
  if (!/^[0-9a-f]+$/i.test(digits) || digits.length * 4 > LARGEST_CPU) return null;
  const cpus: number[] = [];
  for (let at = digits.length - 1, base = 0; at >= 0; at--, base += 4) {
    const nibble = Number.parseInt(digits[at]!, 16);
    for (let bit = 0; bit < 4; bit++) if (nibble & (1 << bit)) cpus.push(base + bit);
  }
  return cpus;
}

/** Writes a set as a mask in groups of 32 bits, as the kernel reads it: "1,00000003". */
export function formatCpuMask(cpus: CpuSet): string {
  const words: number[] = [];
  for (const cpu of cpus) {
    const word = cpu >> 5;
    while (words.length <= word) words.push(0);
    words[word] = (words[word]! | (1 << (cpu & 31))) >>> 0;
  }
  if (words.length === 0) return '0';
  const [top = 0, ...rest] = words.reverse();
  return [top.toString(16), ...rest.map((word) => word.toString(16).padStart(8, '0'))].join(',');
}

/** What is in a or in b. */
export function unionOf(...sets: readonly CpuSet[]): CpuSet {
  return [...new Set(sets.flat())].sort((a, b) => a - b);
}

/** What is in a but not in b. */
export function without(a: CpuSet, b: CpuSet): CpuSet {
  const gone = new Set(b);
  return a.filter((cpu) => !gone.has(cpu));
}

/** What is in both. */
export function intersectionOf(a: CpuSet, b: CpuSet): CpuSet {
  const both = new Set(b);
  return a.filter((cpu) => both.has(cpu));
}

/** Whether two sets hold the same CPUs. */
export function sameCpus(a: CpuSet, b: CpuSet): boolean {
  return a.length === b.length && a.every((cpu, index) => cpu === b[index]);
}
