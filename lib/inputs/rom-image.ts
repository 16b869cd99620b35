/** What an image of an option ROM is made for, by the code type of its PCI data structure. */
export type RomImageType = 'x86' | 'openfirmware' | 'hppa' | 'efi' | 'unknown';

/** One image of an option ROM. See PCI Firmware Specification 3.3, 5.1, and UEFI Specification 2.10, 14.4.2. */
export interface RomImage {
  /** In bytes from the beginning of the file. */
  readonly offset: number;
  /** In bytes, as the image says; may lead beyond the file. */
  readonly length: number;
  readonly type: RomImageType;
  readonly vendorId: string;
  readonly deviceId: string;
  readonly classCode: string;
  /** Of the PCI data structure. */
  readonly revision: number;
  /** Of the code, as its vendor counts. */
  readonly codeRevision: number;
  /** Further device ids that the image is for (revision 3 and later). */
  readonly deviceIds: readonly string[];
  readonly efi: RomEfi | null;
  readonly last: boolean;
  /** Only x86 images have a checksum; null for the others, and where the image is not all there. */
  readonly checksumValid: boolean | null;
}

/** What the header of a UEFI driver image says. */
export interface RomEfi {
  /** "x64", "ia32", "aa64"…, or the number ("0x1234"). */
  readonly machine: string;
  /** "application", "boot", "runtime", or the number. */
  readonly subsystem: string;
  readonly compressed: boolean;
  readonly signatureValid: boolean;
}

/** An image, and what is wrong inside it; or why there is none at that place. */
export type ReadRomImage =
  | { readonly image: RomImage; readonly problems: readonly string[] }
  | { readonly image: null; readonly problem: string };

/** Lengths count in these. */
const BLOCK = 512;
/** The common header: signature, size, vendor's own, and at 0x18 where the PCI data structure is. */
const HEADER_BYTES = 0x1a;
const PCIR_BYTES = 0x18;
const MOST_DEVICE_IDS = 1024;

/** Reads the image that begins at `offset`. Nothing outside `bytes` is ever read, whatever the image says. */
export function parseRomImage(bytes: Buffer, offset: number): ReadRomImage {
  const no = (problem: string): ReadRomImage => ({ image: null, problem });
  if (offset + HEADER_BYTES > bytes.length)
    return no(`ends at ${bytes.length}, before the header is complete`);
  if (!hasSignature(bytes, offset))
    return no(`begins with ${bytes.subarray(offset, offset + 2).toString('hex')}, must begin with 55aa`);
  const at = findPciData(bytes, offset);
  if (at === null) {
    const pointer = bytes.readUInt16LE(offset + 0x18);
    return no(
      offset + pointer + PCIR_BYTES > bytes.length
        ? `has its PCI data structure at ${offset + pointer}, outside the file of ${bytes.length} bytes`
        : `has no PCI data structure at ${offset + pointer}, where its header says it is`,
    );
  }
  const type = TYPES[bytes[at + 0x14]!] ?? 'unknown';
  const length = bytes.readUInt16LE(at + 0x10) * BLOCK;
  const problems = [...judgeLength(bytes, offset, length), ...judgePlace(bytes, at, offset, length)];
  const efi = type === 'efi' ? parseEfi(bytes, offset) : null;
  if (efi !== null) problems.push(...judgeEfi(bytes, offset, length, efi));
  const checksumValid = type === 'x86' ? checkSum(bytes, offset) : null;
  if (type === 'x86') problems.push(...judgeCode(bytes, offset, length, checksumValid));
  const revision = bytes[at + 0x0c]!;
  const image: RomImage = {
    offset,
    length,
    type,
    vendorId: hex(bytes.readUInt16LE(at + 4), 4),
    deviceId: hex(bytes.readUInt16LE(at + 6), 4),
    classCode: hex(bytes.readUIntLE(at + 0x0d, 3), 6),
    revision,
    codeRevision: bytes.readUInt16LE(at + 0x12),
    deviceIds: revision >= 3 ? readDeviceIds(bytes, at) : [],
    efi,
    last: (bytes[at + 0x15]! & 0x80) !== 0,
    checksumValid,
  };
  return { image, problems };
}

/** Whether 55 aa stands there. */
export function hasSignature(bytes: Buffer, offset: number): boolean {
  return bytes[offset] === 0x55 && bytes[offset + 1] === 0xaa;
}

/** Where the PCI data structure of the image at `offset` is, in bytes of the file; null where its pointer leads to none. */
export function findPciData(bytes: Buffer, offset: number): number | null {
  if (offset + HEADER_BYTES > bytes.length) return null;
  const at = offset + bytes.readUInt16LE(offset + 0x18);
  if (at < offset + HEADER_BYTES || at + PCIR_BYTES > bytes.length) return null;
  return bytes.toString('latin1', at, at + 4) === 'PCIR' ? at : null;
}

const TYPES: Readonly<Record<number, RomImageType>> = { 0: 'x86', 1: 'openfirmware', 2: 'hppa', 3: 'efi' };

function judgeLength(bytes: Buffer, offset: number, length: number): string[] {
  if (length === 0) return ['has a length of zero'];
  const missing = offset + length - bytes.length;
  return missing > 0 ? [`is cut off: ${missing} of its ${length} bytes are not in the file`] : [];
}

function judgePlace(bytes: Buffer, at: number, offset: number, length: number): string[] {
  const problems: string[] = [];
  if (length > 0 && at + PCIR_BYTES > offset + length)
    problems.push(`has its PCI data structure at ${at}, behind its own end at ${offset + length}`);
  const said = bytes.readUInt16LE(at + 0x0a);
  if (said < PCIR_BYTES)
    problems.push(`has a PCI data structure of ${said} bytes, must be at least ${PCIR_BYTES}`);
  return problems;
}

const MACHINES: Readonly<Record<number, string>> = {
  332: 'ia32',
  512: 'ia64',
  3772: 'ebc',
  34404: 'x64',
  450: 'arm',
  43620: 'aa64',
  20530: 'riscv32',
  20580: 'riscv64',
  25188: 'loongarch64',
};
const SUBSYSTEMS: Readonly<Record<number, string>> = { 10: 'application', 11: 'boot', 12: 'runtime' };
const EFI_SIGNATURE = 0x0ef1;

function parseEfi(bytes: Buffer, offset: number): RomEfi {
  const subsystem = bytes.readUInt16LE(offset + 8);
  const machine = bytes.readUInt16LE(offset + 0x0a);
  return {
    machine: MACHINES[machine] ?? `0x${hex(machine, 4)}`,
    subsystem: SUBSYSTEMS[subsystem] ?? `0x${hex(subsystem, 4)}`,
    compressed: bytes.readUInt16LE(offset + 0x0c) === 1,
    signatureValid: bytes.readUInt32LE(offset + 4) === EFI_SIGNATURE,
  };
}

function judgeEfi(bytes: Buffer, offset: number, length: number, efi: RomEfi): string[] {
  const problems: string[] = [];
  if (!efi.signatureValid)
    problems.push(
      `has the UEFI signature ${hex(bytes.readUInt32LE(offset + 4), 8)}, must be ${hex(EFI_SIGNATURE, 8)}`,
    );
  const compression = bytes.readUInt16LE(offset + 0x0c);
  if (compression > 1) problems.push(`is compressed in the unknown way ${compression}`);
  const program = bytes.readUInt16LE(offset + 0x16);
  if (length > 0 && program >= length)
    problems.push(`has its driver at ${offset + program}, behind its own end at ${offset + length}`);
  else if (compression === 0 && bytes.toString('latin1', offset + program, offset + program + 2) !== 'MZ')
    problems.push(`has no driver at ${offset + program}, where its header says it is`);
  return problems;
}

/** The legacy BIOS sums up what the third byte says is code: that must be 0. */
function checkSum(bytes: Buffer, offset: number): boolean | null {
  const size = bytes[offset + 2]! * BLOCK;
  if (size === 0 || offset + size > bytes.length) return null;
  let sum = 0;
  for (const byte of bytes.subarray(offset, offset + size)) sum = (sum + byte) & 0xff;
  return sum === 0;
}

function judgeCode(bytes: Buffer, offset: number, length: number, checksumValid: boolean | null): string[] {
  const size = bytes[offset + 2]! * BLOCK;
  if (size === 0) return ['says that it has no code'];
  if (length > 0 && size > length)
    return [`has ${size} bytes of code but a length of ${length}: another image begins inside it`];
  return checksumValid === false ? ['has a wrong checksum'] : [];
}

function readDeviceIds(bytes: Buffer, at: number): string[] {
  const pointer = bytes.readUInt16LE(at + 8);
  const ids: string[] = [];
  if (pointer === 0) return ids;
  for (let next = at + pointer; next + 2 <= bytes.length && ids.length < MOST_DEVICE_IDS; next += 2) {
    const id = bytes.readUInt16LE(next);
    if (id === 0) break;
    ids.push(hex(id, 4));
  }
  return ids;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
