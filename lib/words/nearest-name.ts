/** Longer names are not compared letter by letter: the work grows with the square of the length. */
const LONGEST_COMPARED = 64;

/**
 * The known name that a misspelt one most likely means ("guset" → "guest", "Hugepage" → "hugepages"), or null where
 * none is near enough to be worth naming. Case and "_" for "-" count for nothing.
 */
export function nearestName(name: string, known: readonly string[]): string | null {
  const asked = plain(name);
  if (asked === '' || asked.length > LONGEST_COMPARED) return null;
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(asked, plain(candidate));
    if (distance >= least || distance > mostEdits(asked, candidate)) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function mostEdits(asked: string, candidate: string): number {
  return Math.max(1, Math.floor(Math.max(asked.length, candidate.length) * 0.4));
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn a into b. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(above[column]! + 1, here[column - 1]! + 1, above[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, before[column - 2]! + 1);
      }
      here.push(cost);
    }
    before = above;
    above = here;
  }
  return above[b.length]!;
}
