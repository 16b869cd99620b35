/** What a reader found, or why it could not look: the two must not be taken for each other. */
export type Seen<T> = { readonly value: T } | Unseen;

/** A clause that says why: "/dev/kmsg cannot be read (EPERM)". */
export interface Unseen {
  readonly unseen: string;
}

/** Whether a reader could not look. */
export function isUnseen<T>(seen: Seen<T>): seen is Unseen {
  return 'unseen' in seen;
}

/** The value, or what stands for it where nobody could look. */
export function seenOr<T, U>(seen: Seen<T>, otherwise: U): T | U {
  return isUnseen(seen) ? otherwise : seen.value;
}

/** The same with the value turned into something else. */
export function mapSeen<T, U>(seen: Seen<T>, change: (value: T) => U): Seen<U> {
  return isUnseen(seen) ? seen : { value: change(seen.value) };
}
