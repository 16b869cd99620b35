import { SERIAL } from './bus-call.ts';

/** What the other side said to our call: done, or its error in words. */
export type BusAnswer = 'done' | { readonly error: string };

const METHOD_RETURN = 2;
const ERROR = 3;
const LONGEST = 1 << 20;

/** Where messages begin after the one line that answers BUS_GREETING, null while it is not there yet; an Error where it is no welcome. */
export function findBusMessages(bytes: Buffer): number | null {
  const lineEnd = bytes.indexOf('\r\n');
  if (lineEnd < 0) {
    if (bytes.length > 200) throw new Error('no D-Bus');
    return null;
  }
  if (bytes.toString('latin1', 0, 3) !== 'OK ') throw new Error('it does not let us in');
  return lineEnd + 2;
}

/**
 * Reads what has come so far on a connection of BUS_GREETING and formatBusCall(): the welcome, then messages, of which only the
 * answer to our call matters (systemd sends its signals to everybody). Null while it is not there yet; an Error where this is no
 * D-Bus that we understand.
 */
export function parseBusAnswer(bytes: Buffer): BusAnswer | null {
  for (let at = findBusMessages(bytes) ?? bytes.length; at + 16 <= bytes.length; ) {
    // Numbers are in the byte order of the machine that both run on
    if (bytes[at] !== 'l'.charCodeAt(0)) throw new Error('not little endian');
    const bodyLength = bytes.readUInt32LE(at + 4);
    const fieldsLength = bytes.readUInt32LE(at + 12);
    if (bodyLength > LONGEST || fieldsLength > LONGEST) throw new Error('a message without measure');
    const bodyAt = at + 16 + Math.ceil(fieldsLength / 8) * 8;
    if (bodyAt + bodyLength > bytes.length) return null;
    const type = bytes[at + 1];
    if (type === METHOD_RETURN || type === ERROR) {
      const fields = readFields(bytes.subarray(at + 16, at + 16 + fieldsLength));
      if (fields.replySerial === SERIAL) {
        if (type === METHOD_RETURN) return 'done';
        const body = bytes.subarray(bodyAt, bodyAt + bodyLength);
        return { error: (fields.signature.startsWith('s') && readText(body, 0)) || fields.errorName };
      }
    }
    at = bodyAt + bodyLength;
  }
  return null;
}

interface Fields {
  readonly replySerial: number;
  readonly errorName: string;
  readonly signature: string;
}

/** The header's fields that an answer needs: 4 the error's name, 5 the serial answered, 8 the body's signature. */
function readFields(bytes: Buffer): Fields {
  let [replySerial, errorName, signature] = [0, 'an error without a name', ''];
  for (let at = 0; at + 4 <= bytes.length; at = Math.ceil(at / 8) * 8) {
    const code = bytes[at]!;
    const type = String.fromCharCode(bytes[at + 2]!);
    at += 4;
    if (type === 'g') {
      const text = bytes.toString('latin1', at + 1, at + 1 + (bytes[at] ?? 0));
      if (code === 8) signature = text;
      at += 2 + text.length;
    } else if (type === 's' || type === 'o') {
      at = Math.ceil(at / 4) * 4;
      const text = readText(bytes, at);
      if (code === 4) errorName = text;
      at += 5 + Buffer.byteLength(text);
    } else if (type === 'u') {
      at = Math.ceil(at / 4) * 4;
      if (at + 4 > bytes.length) break;
      if (code === 5) replySerial = bytes.readUInt32LE(at);
      at += 4;
    } else break;
  }
  return { replySerial, errorName, signature };
}

function readText(bytes: Buffer, at: number): string {
  if (at + 4 > bytes.length) return '';
  return bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at));
}
