/** How one image of a made ROM differs from a good one. */
export interface MadeImage {
  readonly type: 'x86' | 'efi' | 'openfirmware' | 'hppa' | number;
  readonly vendor?: number;
  readonly device?: number;
  readonly classCode?: number;
  /** In blocks of 512 bytes. */
  readonly blocks?: number;
  /** What the PCI data structure says of it, where that is not the truth. */
  readonly saidBlocks?: number;
  /** What the third byte of an x86 image says. */
  readonly codeBlocks?: number;
  readonly last?: boolean;
  readonly signature?: number;
  /** Where the header says the PCI data structure is, where it is not there. */
  readonly saidPcir?: number;
  readonly pcirAt?: number;
  readonly pcirLength?: number;
  readonly compression?: number;
  readonly machine?: number;
  readonly subsystem?: number;
  readonly efiSignature?: number;
  readonly driverAt?: number;
  readonly wrongChecksum?: boolean;
  readonly deviceIds?: readonly number[];
}

const CODE_TYPES = { x86: 0, openfirmware: 1, hppa: 2, efi: 3 } as const;

/** Makes a ROM of these images; the last one says so unless told otherwise. */
export function makeRom(...images: readonly MadeImage[]): Buffer {
  return Buffer.concat(
    images.map((image, index) => makeImage({ last: index === images.length - 1, ...image })),
  );
}

/** Makes one image by PCI Firmware Specification 3.3, 5.1. */
function makeImage(image: MadeImage): Buffer {
  const blocks = image.blocks ?? 4;
  const bytes = Buffer.alloc(blocks * 512);
  const type = typeof image.type === 'number' ? image.type : CODE_TYPES[image.type];
  const at = image.pcirAt ?? 0x40;
  bytes.writeUInt16BE(image.signature ?? 0x55aa, 0);
  bytes.writeUInt16LE(image.saidPcir ?? at, 0x18);
  bytes.write('PCIR', at, 'latin1');
  bytes.writeUInt16LE(image.vendor ?? 0x10de, at + 4);
  bytes.writeUInt16LE(image.device ?? 0x2684, at + 6);
  bytes.writeUInt16LE(image.pcirLength ?? 0x18, at + 0x0a);
  bytes[at + 0x0c] = image.deviceIds === undefined ? 0 : 3;
  bytes.writeUIntLE(image.classCode ?? 0x030000, at + 0x0d, 3);
  bytes.writeUInt16LE(image.saidBlocks ?? blocks, at + 0x10);
  bytes[at + 0x14] = type;
  bytes[at + 0x15] = image.last === true ? 0x80 : 0;
  if (image.deviceIds !== undefined) {
    bytes.writeUInt16LE(0x1c, at + 8);
    for (const [index, id] of [...image.deviceIds, 0].entries())
      bytes.writeUInt16LE(id, at + 0x1c + index * 2);
  }
  if (type === 3) writeEfiHeader(bytes, image, blocks);
  if (type === 0) writeCode(bytes, image, blocks);
  return bytes;
}

function writeEfiHeader(bytes: Buffer, image: MadeImage, blocks: number): void {
  bytes.writeUInt16LE(blocks, 2);
  bytes.writeUInt32LE(image.efiSignature ?? 0x0ef1, 4);
  bytes.writeUInt16LE(image.subsystem ?? 11, 8);
  bytes.writeUInt16LE(image.machine ?? 0x8664, 0x0a);
  bytes.writeUInt16LE(image.compression ?? 0, 0x0c);
  bytes.writeUInt16LE(image.driverAt ?? 0x100, 0x16);
  bytes.write('MZ', 0x100, 'latin1');
}

function writeCode(bytes: Buffer, image: MadeImage, blocks: number): void {
  bytes[2] = image.codeBlocks ?? blocks;
  bytes.fill(0x90, 0x120, 0x200);
  const sum = bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
  bytes[bytes.length - 1] = (0x100 - sum + (image.wrongChecksum === true ? 1 : 0)) & 0xff;
}
