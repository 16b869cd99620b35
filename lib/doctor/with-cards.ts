import type { Checkup } from '../host/checkup.ts';
import type { DisplayCard } from '../host/graphics.ts';
import { ok, type Verdict, withSeen } from './check.ts';
import { namedAll } from './describe.ts';

/** Judges the graphics cards where there are some. */
export function withCards(checkup: Checkup, judge: (cards: readonly DisplayCard[]) => Verdict): Verdict {
  return withSeen(checkup.functions, () =>
    checkup.cards.length === 0 ? ok('There is no graphics card') : judge(checkup.cards),
  );
}

/** Judges the lines of the kernel’s log that a pattern fits, where there are some. */
export function judgeLog(
  { log }: Checkup,
  pattern: RegExp,
  bad: (lines: readonly string[]) => Verdict,
): Verdict {
  return withSeen(log, (lines) => {
    const found = lines.filter((line) => pattern.test(line));
    return found.length === 0 ? ok('The kernel’s log has no sign of it') : bad(found);
  });
}

/** The cards’ addresses and names. */
export function cardNames(checkup: Checkup, cards: readonly DisplayCard[]): string {
  return namedAll(
    checkup,
    cards.map(({ fn }) => fn.address),
  );
}
