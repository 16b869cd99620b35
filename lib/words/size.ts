const KIB_OF_UNIT: Readonly<Record<string, bigint>> = { k: 1n, m: 1024n, g: 1024n ** 2n, t: 1024n ** 3n };

/** Reads a size with a unit as people write it in a profile ("16G", "512 MiB", "2048k"), in KiB, or gives null. A bare number is refused: no unit, no guess. */
export function parseSizeKib(text: string): number | null {
  const match = /^(\d{1,12})\s*([kmgt])(?:i?b)?$/i.exec(text.trim());
  if (match === null) return null;
  const kib = BigInt(match[1]!) * KIB_OF_UNIT[match[2]!.toLowerCase()]!;
  return kib <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(kib) : null;
}

/** Writes KiB in the largest unit that stays whole: "16 GiB", "2 MiB", "4 KiB". */
export function formatKib(kib: number): string {
  if (kib !== 0 && kib % 1_048_576 === 0) return `${kib / 1_048_576} GiB`;
  if (kib !== 0 && kib % 1024 === 0) return `${kib / 1024} MiB`;
  return `${kib} KiB`;
}

/** Writes KiB for a sentence, rounded: "31.3 GiB", "512 MiB", "64 KiB". */
export function formatRoughly(kib: number): string {
  if (kib >= 1_048_576) return `${Number((kib / 1_048_576).toFixed(1))} GiB`;
  return kib >= 1024 ? `${Math.round(kib / 1024)} MiB` : `${kib} KiB`;
}
