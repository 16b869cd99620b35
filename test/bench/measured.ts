import type { Ratio } from './ratio.ts';

/** One result: how often something took what its yardstick took, in the same run. */
export interface Measured {
  readonly what: string;
  readonly ratio: Ratio;
  /** What the ratio may be at most; null where it is only told. */
  readonly bound: number | null;
  /** The times themselves, for an idea of the size. */
  readonly note: string;
}

/** Whether it keeps its bound. */
export function isKept({ ratio, bound }: Measured): boolean {
  return bound === null || ratio.median <= bound;
}
