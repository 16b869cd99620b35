import { type PciAddress, pciFunction, pciSlot } from '../words/pci-address.ts';
import type { ProfileSource } from './profile-source.ts';

/** A card as the guest sees it: the functions that are on it together. */
export interface Card {
  /** The slot that the profile asks for, or null. */
  readonly slot: number | null;
  readonly members: readonly {
    readonly label: string;
    readonly address: PciAddress;
    /** The function number that the profile asks for, or null. */
    readonly number: number | null;
  }[];
}

/** The cards of a profile: functions of one card of the host, and those that name another by `with`. */
export function cardsOf({
  source,
  functions,
}: {
  readonly source: ProfileSource;
  readonly functions: ReadonlyMap<string, PciAddress>;
}): readonly Card[] {
  const cards = new Map<string, Card['members'][number][]>();
  for (const [label, address] of functions) {
    const beside = source.peek(`device ${label}`, 'with');
    const slot = pciSlot((beside === null ? undefined : functions.get(beside)) ?? address);
    const text = source.peek(`device ${label}`, 'function');
    const member = { label, address, number: text === null ? null : Number(text) };
    cards.set(slot, [...(cards.get(slot) ?? []), member]);
  }
  return [...cards.values()].map((members) => {
    const slots = members.map(({ label }) => source.peek(`device ${label}`, 'slot'));
    const slot = slots.find((one) => one !== null) ?? null;
    return { members, slot: slot === null ? null : Number(slot) };
  });
}

/** The function numbers of a card in the guest, by label: as asked for, else the host's; the first one is 0 where no other is. */
export function functionNumbers({ members }: Pick<Card, 'members'>): ReadonlyMap<string, number> {
  const numbers = new Map(
    members.map(({ label, address, number }) => [label, number ?? pciFunction(address)]),
  );
  const free = members.find(({ number }) => number === null);
  if (![...numbers.values()].includes(0) && free !== undefined) numbers.set(free.label, 0);
  return numbers;
}

/** The same; but what is no card then (a number twice, none of them 0), which `run` refuses, is numbered in its order. */
export function possibleNumbers(card: Pick<Card, 'members'>): ReadonlyMap<string, number> {
  const numbers = functionNumbers(card);
  const given = new Set(numbers.values());
  if (given.size === numbers.size && given.has(0)) return numbers;
  return new Map(card.members.map(({ label }, at) => [label, at]));
}
