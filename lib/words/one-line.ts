import { PassqemuError, RefusedError } from './errors.ts';

/** An error as the one line that libvirt shows to whoever started the guest: reasons, then what to do. */
export function formatErrorLine(error: unknown): string {
  return formatErrorLines(error)
    .join('; ')
    .replace(/\s*\n\s*/g, '; ');
}

/** An error as lines for a terminal: the sentence, each reason with its remedy, the hint. */
export function formatErrorLines(error: unknown): string[] {
  if (!(error instanceof PassqemuError)) {
    return [
      `Unexpected: ${error instanceof Error ? error.message : String(error)} (a fault of passqemu: report it with what was run)`,
    ];
  }
  const lines = [error.message];
  if (error instanceof RefusedError) {
    for (const { summary, remedy } of error.refusals)
      lines.push(remedy === null ? summary : `${summary} (${remedy})`);
  }
  if (error.hint !== undefined) lines.push(error.hint);
  return lines;
}
