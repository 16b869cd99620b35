import { readFile } from 'node:fs/promises';
import { runToBuffer } from '../processes.ts';

/** How a kernel image may be packed: the first bytes of its payload, and the command that unpacks it. */
const packings = [
  { magic: 'fd377a58', command: ['xz', '--decompress', '--stdout', '--single-stream'] },
  { magic: '28b52ffd', command: ['zstd', '--decompress', '--stdout', '--quiet'] },
];

/**
 * The ELF kernel inside a bzImage. QEMU starts it at its PVH entry, and so the emulated processor is spared the
 * unpacking, which takes it two seconds. The offsets are those of the kernel's document "The Linux/x86 Boot Protocol".
 */
export async function extractVmlinux(file: string): Promise<Buffer> {
  const image = await readFile(file);
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  // The last four bytes are the unpacked size.
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  const magic = payload.toString('hex', 0, 4);
  const packing = packings.find((candidate) => candidate.magic === magic);
  if (packing === undefined)
    throw new Error(`${file} is packed in a way that the lab does not know (${magic})`);
  return await runToBuffer(packing.command, payload);
}
