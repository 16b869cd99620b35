import { PassqemuError, RefusedError } from './errors.ts';

/** Reasons in one line; virt-manager shows it in a small window, and `passqemu plan` shows all. */
const MOST_REASONS = 4;

/**
 * An error as the one line that libvirt shows to whoever started the guest: the reason, then what to do. That the guest cannot start
 * libvirt says itself, so a single reason stands alone; several are counted.
 */
export function formatErrorLine(error: unknown): string {
  return (error instanceof RefusedError ? reasonsOf(error) : formatErrorLines(error))
    .join('; ')
    .replace(/\s*\n\s*/g, '; ');
}

function reasonsOf(error: RefusedError): string[] {
  const { message, refusals, hint } = error;
  const reasons = refusals.map(({ summary, remedy }) =>
    remedy === null ? summary : `${summary}; ${remedy}`,
  );
  const told = hint === undefined ? [] : [hint];
  if (reasons.length === 0) return [message, ...told];
  if (reasons.length === 1) return [...reasons, ...told];
  const shown = reasons.slice(0, MOST_REASONS).map((reason, at) => `(${at + 1}) ${reason}`);
  const more = reasons.length - shown.length;
  return [message, ...shown, ...(more > 0 ? [`and ${more} more, which passqemu plan shows`] : []), ...told];
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
