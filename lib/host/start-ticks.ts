/** The start time in clock ticks out of /proc/PID/stat (proc(5): field 22; the name in field 2 may hold anything), or null. */
export function parseStartTicks(stat: string | null): number | null {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[19]);
  return fields === undefined || !Number.isInteger(ticks) ? null : ticks;
}
