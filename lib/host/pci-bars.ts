/** One base address register of a function: a window through which the host and the guest reach it. */
export interface PciBar {
  readonly index: number;
  readonly sizeBytes: number;
  /** Whether the kernel can change its size (resourceN_resize). */
  readonly resizable: boolean;
}

const BARS = 6;

/**
 * Reads a function's `resource` file: a line for each region with its first address, its last and its flags, of which
 * the first six are the BARs. Lines that are none are left out.
 */
export function parsePciBars(text: string, isResizable: (index: number) => boolean): readonly PciBar[] {
  const bars: PciBar[] = [];
  for (const [index, line] of text.split('\n', BARS).entries()) {
    const match = /^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})$/i.exec(line.trim());
    if (match === null || /^0+$/.test(match[3]!)) continue;
    const size = BigInt(`0x${match[2]}`) - BigInt(`0x${match[1]}`) + 1n;
    if (size <= 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    bars.push({ index, sizeBytes: Number(size), resizable: isResizable(index) });
  }
  return bars;
}
