import { visible } from '../inputs/parsed.ts';
import { HostError } from '../words/errors.ts';

/** The longest line that QEMU has reason to send is the answer to query-qmp-schema, some hundred KiB. */
const LONGEST_LINE = 4 << 20;
const LONGEST_QUOTE = 300;

/** One message of QEMU's (docs/interop/qmp-spec.rst). */
export type QmpMessage =
  | { readonly is: 'greeting'; readonly version: readonly [number, number, number] }
  | { readonly is: 'return'; readonly id: string | null; readonly value: unknown }
  | { readonly is: 'error'; readonly id: string | null; readonly kind: string; readonly text: string }
  | QmpEvent;

/** Something that happened in QEMU; `data` is an object, empty where the event has none. */
export interface QmpEvent {
  readonly is: 'event';
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Puts messages together from the parts in which they come. Lines without an end are bounded: QEMU runs what a guest may have broken. */
export class QmpLines {
  #rest = '';

  /** The messages that this part completes; throws a HostError where it is no QMP. */
  push(part: string): QmpMessage[] {
    const lines = `${this.#rest}${part}`.split('\n');
    this.#rest = lines.pop() ?? '';
    const longest = Math.max(this.#rest.length, ...lines.map((line) => line.length));
    if (longest > LONGEST_LINE)
      throw new HostError(`Cannot read from QEMU: a line is longer than ${LONGEST_LINE} signs`);
    return lines.filter((line) => line.trim() !== '').map(parseQmpMessage);
  }
}

/** Reads one line; throws a HostError where it is no message of the protocol. */
export function parseQmpMessage(line: string): QmpMessage {
  const message = asObject(parseJson(line));
  if (message === null) throw noQmp(line);
  const id = typeof message.id === 'string' ? message.id : null;
  if ('QMP' in message) {
    const version = parseVersion(asObject(asObject(asObject(message.QMP)?.version)?.qemu));
    if (version === null) throw noQmp(line);
    return { is: 'greeting', version };
  }
  if (typeof message.event === 'string')
    return { is: 'event', name: message.event, data: asObject(message.data) ?? {} };
  if ('return' in message) return { is: 'return', id, value: message.return };
  const error = asObject(message.error);
  if (error === null) throw noQmp(line);
  const [kind, text] = [error.class, error.desc].map((one) =>
    typeof one === 'string' ? visible(one).slice(0, LONGEST_QUOTE) : '',
  );
  return { is: 'error', id, kind: kind || 'GenericError', text: text || 'no reason is given' };
}

/** One command as a line. Everything is JSON, so nothing in an argument can end it. */
export function formatQmpCommand(
  id: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
): string {
  return `${JSON.stringify({ execute: command, ...(Object.keys(args).length > 0 && { arguments: args }), id })}\n`;
}

/** An object of JSON (no list, not null), or null. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function parseVersion(qemu: Readonly<Record<string, unknown>> | null): [number, number, number] | null {
  const [major, minor, micro] = [qemu?.major, qemu?.minor, qemu?.micro];
  return typeof major === 'number' && typeof minor === 'number' && typeof micro === 'number'
    ? [major, minor, micro]
    : null;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function noQmp(line: string): HostError {
  return new HostError(
    `Cannot read from QEMU: ${JSON.stringify(visible(line.slice(0, 60)))} is no QMP message`,
  );
}
