import { type HeldStep, heldOf } from '../words/step.ts';

/**
 * Pages of a node's pool that other guests were promised and have not mapped: free they may look, free for us they are
 * not. What a guest's QEMU has mapped (`mappedKib` by guest; a guest without one has mapped nothing) is taken off its
 * need; where the rest lies is not known, so it counts on each of its nodes, up to what it needs there. A prepare that
 * was killed before it had its pages promises no more than there can have been, and one that is being released nothing.
 */
export function promisedPages(
  others: readonly HeldStep[],
  mappedKib: ReadonlyMap<string, number>,
  sizeKib: number,
  node: number,
): number {
  const held = heldOf(others, 'hugepages');
  const leftKib = new Map<string, number>();
  for (const { guest, step } of held) {
    const left = leftKib.get(guest) ?? -(mappedKib.get(guest) ?? 0);
    leftKib.set(guest, left + step.pages * step.sizeKib);
  }
  let pages = 0;
  for (const { guest, step, was, got } of held) {
    if (step.sizeKib !== sizeKib || step.node !== node || got?.leaving) continue;
    const left = Math.max(0, Math.ceil(leftKib.get(guest)! / sizeKib));
    pages += Math.min(step.pages, left, was.pool + (got?.added ?? 0));
  }
  return pages;
}

/** The other guests that hold pages of this size on this node, for telling whom we wait for. */
export function pageHolders(others: readonly HeldStep[], sizeKib: number, node: number): string[] {
  const held = heldOf(others, 'hugepages').filter(
    ({ step }) => step.sizeKib === sizeKib && step.node === node,
  );
  return [...new Set(held.map(({ guest }) => guest))];
}
