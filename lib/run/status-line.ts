/** What a status line tells of a running guest. */
export interface GuestStatus {
  readonly guest: string;
  readonly runsMs: number;
  /** What its QEMU takes of the processor, 100 for one CPU; null where it is not known yet. */
  readonly percent: number | null;
}

/** How a running guest is, in one line that fits into so many columns. */
export function formatStatusLine({ guest, runsMs, percent }: GuestStatus, columns: number): string {
  const seconds = Math.floor(runsMs / 1000);
  const two = (count: number) => String(count).padStart(2, '0');
  const time = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const load = percent === null ? [] : [`${Math.round(percent)} % of a CPU`];
  const line = [`${guest} runs`, time, ...load, 'Ctrl-C powers it down, twice ends it'].join(' | ');
  // A full last column would make some terminals go on to the next line
  return [...line].slice(0, Math.max(0, columns - 1)).join('');
}

/** The processor time that a process has taken, in clock ticks, out of /proc/PID/stat (proc(5): fields 14 and 15); null where it is none. */
export function parseCpuTicks(stat: string | null): number | null {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isSafeInteger(ticks) ? ticks : null;
}
