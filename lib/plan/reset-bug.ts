import type { PciFunction } from '../host/pci-function.ts';

/**
 * AMD graphics cards that do not come back from the kernel's own reset, and that the module vendor-reset can reset: Polaris, Vega 10,
 * 12 and 20, Navi 10, 12 and 14 (its list, src/device-db.h).
 */
export function hasResetBug({ vendorId, deviceId, classCode }: PciFunction): boolean {
  const id = Number.parseInt(deviceId ?? '0', 16);
  const isListed = RANGES.some(([first, last]) => id >= first && id <= last);
  return vendorId === '1002' && classCode?.startsWith('03') === true && isListed;
}

const RANGES = [
  [0x67c0, 0x67ff],
  [0x6860, 0x687f],
  [0x6980, 0x699f],
  [0x69a0, 0x69af],
  [0x6fdf, 0x6fdf],
  [0x66a0, 0x66af],
  [0x7310, 0x731f],
  [0x7340, 0x734f],
  [0x7360, 0x7362],
] as const;
