import zlib from 'node:zlib';
import { HostError } from '../words/errors.ts';
import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';

/** Larger ones would take longer than a person waits for a check. */
const LARGEST_BYTES = 128 << 20;
const LARGEST_UNPACKED_BYTES = 768 << 20;

/** Whether the running kernel's initramfs has a module of that name ("vfio-pci"); reads the image, so only where somebody needs to know. */
export function readInitramfsHas(host: Host, module: string): Seen<boolean> {
  const path = findInitramfs(host);
  if (path === null) return { unseen: 'the initramfs of the running kernel is not where it is known to be' };
  let bytes: Buffer;
  try {
    bytes = host.readBytes(path, LARGEST_BYTES);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (host.root !== '/') return { unseen: 'a recorded machine does not have its initramfs' };
    return { unseen: `${path} cannot be read (${error.code ?? 'no reason given'})` };
  }
  const packed = bytes.subarray(endOfPlainArchives(bytes));
  const unpacked = unpack(packed);
  if (unpacked === null && packed.length > 0)
    return { unseen: `${path} is packed in a way that this node cannot read` };
  const file = `/${module}.ko`;
  return { value: bytes.includes(file) || (unpacked?.includes(file) ?? false) };
}

function findInitramfs(host: Host): string | null {
  const release = host.readOptional('/proc/sys/kernel/osrelease') ?? '';
  if (!/^[\w.+~-]+$/.test(release)) return null;
  const names = [`initrd.img-${release}`, `initramfs-${release}.img`, `initrd-${release}`];
  // Arch names the image after the package of the kernel
  const flavour = /-(lts|zen|hardened|rt)$/.exec(release)?.[1];
  names.push(flavour === undefined ? 'initramfs-linux.img' : `initramfs-linux-${flavour}.img`);
  return names.map((name) => `/boot/${name}`).find((path) => host.exists(path)) ?? null;
}

/**
 * Where the archives that are not packed end: microcode comes first, as a cpio archive of its own with zeros behind it. See
 * Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export function endOfPlainArchives(bytes: Buffer): number {
  let at = 0;
  while (at + 110 <= bytes.length && /^07070[12]$/.test(bytes.toString('latin1', at, at + 6))) {
    const field = (index: number) =>
      Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [size, nameSize] = [field(6), field(11)];
    if (!Number.isFinite(size) || !Number.isFinite(nameSize)) return at;
    const padded = (end: number) => (end + 3) & ~3;
    at = padded(padded(at + 110 + nameSize) + size);
    while (at < bytes.length && bytes[at] === 0) at++;
  }
  return Math.min(at, bytes.length);
}

/** Unpacks what Node can: gzip, and zstd from Node 22.15 on. */
function unpack(packed: Buffer): Buffer | null {
  const limit = { maxOutputLength: LARGEST_UNPACKED_BYTES };
  const zstd = (zlib as unknown as { zstdDecompressSync?: (bytes: Buffer, options: object) => Buffer })
    .zstdDecompressSync;
  try {
    if (packed.readUInt16BE(0) === 0x1f8b) return zlib.gunzipSync(packed, limit);
    if (packed.readUInt32LE(0) === 0xfd2fb528 && zstd !== undefined) return zstd(packed, limit);
  } catch {
    // cut, or larger than it says
  }
  return null;
}
