/** How often one side of a pair took what the other took, over many pairs: machines are noisy, so the middle counts. */
export interface Ratio {
  readonly median: number;
  /** A quarter of the pairs lies below, a quarter above. */
  readonly lower: number;
  readonly upper: number;
  readonly pairs: number;
}

/** The ratio of the second number of each pair to the first. */
export function ratioOf(pairs: readonly (readonly [number, number])[]): Ratio {
  const ratios = pairs.map(([one, other]) => other / one);
  return {
    median: quantile(ratios, 0.5),
    lower: quantile(ratios, 0.25),
    upper: quantile(ratios, 0.75),
    pairs: pairs.length,
  };
}

/** The value below which that part of the numbers lies, between neighbours in proportion. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error('nothing was measured');
  return below + (above - below) * (at - Math.floor(at));
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}
