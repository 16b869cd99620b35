/** The first 64 bits … of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUND = primes(64).map((prime) => fraction(Math.cbrt(prime)));
/** … of the square roots of the first 8 (5.3.3). */
const START = primes(8).map((prime) => fraction(Math.sqrt(prime)));

/**
 * SHA-256 of a short text, as hexadecimal digits: what makes a guest's UUID and its cards' addresses out of names. Nothing is kept secret
 * by it. node:crypto has it too, but to load that takes longer than all the names of a guest here.
 */
export function sha256(text: string): string {
  const words = padded(Buffer.from(text));
  const state = [...START];
  for (let at = 0; at < words.length; at += 16) compress(state, words.slice(at, at + 16));
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** The text, a one bit, zeros, and its length in bits: a multiple of 512 bits, as words of 32. */
function padded(text: Buffer): number[] {
  const length = ((text.length + 8) >> 6) + 1;
  const bytes = Buffer.alloc(length * 64);
  text.copy(bytes);
  bytes[text.length] = 0x80;
  bytes.writeUInt32BE(text.length * 8, bytes.length - 4);
  return Array.from({ length: length * 16 }, (_, at) => bytes.readInt32BE(at * 4));
}

function compress(state: number[], block: readonly number[]): void {
  const w = [...block];
  for (let t = 16; t < 64; t++) {
    const [x, y] = [w[t - 15]!, w[t - 2]!];
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    w.push((w[t - 16]! + s0 + w[t - 7]! + s1) | 0);
  }
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + ROUND[t]! + w[t]!) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at]! + word) | 0;
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function fraction(root: number): number {
  return ((root % 1) * 2 ** 32) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++)
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  return found;
}
