/** A method call on D-Bus whose arguments are already in their wire form, little endian. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Of the body, "" where there is none. */
  readonly signature: string;
  readonly body: Uint8Array;
}

/** The call's number on a connection that is made for it alone. */
export const SERIAL = 1;

const LITTLE_ENDIAN = 'l'.charCodeAt(0);
const METHOD_CALL = 1;
const PROTOCOL = 1;

/**
 * What opens a connection: who we are (root; the kernel vouches for it), see "Authentication protocol" in the D-Bus specification. The
 * call comes after the answer: systemd reads up to 256 bytes at a time here, and what it has read beyond our BEGIN it does not look at
 * before more comes (sd-bus of 252 and 257).
 */
export const BUS_GREETING: Uint8Array = Buffer.from('\0AUTH EXTERNAL 30\r\nBEGIN\r\n');

/** One call as bytes, see "Message format" in the D-Bus specification. */
export function formatBusCall(call: BusCall): Buffer {
  const header = new BusWriter();
  for (const byte of [LITTLE_ENDIAN, METHOD_CALL, 0, PROTOCOL]) header.byte(byte);
  header.uint32(call.body.length);
  header.uint32(SERIAL);
  header.array(8, () => {
    field(header, 1, 'o', call.path);
    field(header, 2, 's', call.interface);
    field(header, 3, 's', call.member);
    field(header, 6, 's', call.destination);
    if (call.signature !== '') field(header, 8, 'g', call.signature);
  });
  header.align(8);
  return Buffer.concat([header.bytes(), call.body]);
}

function field(out: BusWriter, code: number, type: 'o' | 's' | 'g', text: string): void {
  out.align(8);
  out.byte(code);
  out.signature(type);
  if (type === 'g') out.signature(text);
  else out.text(text);
}

/** Puts values together as D-Bus marshals them; each aligned to its size from the start of the message or of its body. */
export class BusWriter {
  readonly #bytes: number[] = [];

  align(size: number): void {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
  }
  byte(value: number): void {
    this.#bytes.push(value & 0xff);
  }
  uint32(value: number): void {
    this.align(4);
    for (const shift of [0, 8, 16, 24]) this.byte(value >>> shift);
  }
  text(value: string): void {
    const bytes = Buffer.from(value);
    this.uint32(bytes.length);
    this.#bytes.push(...bytes, 0);
  }
  signature(value: string): void {
    this.#bytes.push(value.length, ...Buffer.from(value), 0);
  }
  /** An array of elements that are aligned to `alignment`; what comes before the first does not count in its length. */
  array(alignment: number, elements: () => void): void {
    this.uint32(0);
    const at = this.#bytes.length - 4;
    this.align(alignment);
    const begun = this.#bytes.length;
    elements();
    const length = this.#bytes.length - begun;
    [0, 8, 16, 24].forEach((shift, index) => {
      this.#bytes[at + index] = (length >>> shift) & 0xff;
    });
  }
  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}
