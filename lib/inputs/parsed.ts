/** A text that is not what it should be: the predicate of a sentence ("is \"maybe\", must be yes or no") and what to do about it. */
export interface TextProblem {
  readonly problem: string;
  readonly hint?: string;
}

/** What the parser of one value gives: the value, or why there is none. */
export type Parsed<T> = { readonly value: T } | TextProblem;

/** Whether a parser gave no value. */
export function isProblem<T>(parsed: Parsed<T>): parsed is TextProblem {
  return 'problem' in parsed;
}

/** Text of a stranger's in quotes, short and on one line, for a sentence of ours. */
export function quoted(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(shown).replace(
    HIDDEN,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Signs that a terminal or an editor shows as nothing, as a line break, or the other way round than they stand. */
const HIDDEN = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Where the first sign is that nobody can see (a control sign other than tab, a line separator, a change of direction), or -1. */
export function hiddenSignAt(text: string): number {
  return text.replaceAll('\t', ' ').search(HIDDEN);
}

/** The same text on one line, with a space for every sign that cannot be seen. */
export function visible(text: string): string {
  return text.replace(HIDDEN, ' ');
}
