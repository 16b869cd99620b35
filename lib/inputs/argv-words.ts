import type { Parsed } from './parsed.ts';

/**
 * Splits a command line into argv as a shell would, and expands nothing: no variable, no pattern, no operator.
 * 'text' is taken as it stands; in "text" a backslash keeps its meaning only before `"`, `\`, `$` and a backquote;
 * outside of quotes it takes the next sign as it stands. An open quote, a NUL and a line break are problems.
 */
export function parseArgvWords(text: string): Parsed<readonly string[]> {
  const scan = scanWords(text);
  if (scan.problem !== null) return { problem: scan.problem };
  return scan.words.length === 0 ? { problem: 'is empty, must name a program' } : { value: scan.words };
}

/** The first `#` or `;` outside of quotes, which a profile would take for a comment and a shell for an operator; or null. */
export function bareCommentSign(text: string): '#' | ';' | null {
  return scanWords(text).bareSign;
}

/** Writes argv as a command line that parseArgvWords reads back, quoting only where needed. */
export function formatArgvWords(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

interface WordScan {
  readonly words: readonly string[];
  readonly bareSign: '#' | ';' | null;
  readonly problem: string | null;
}

function scanWords(text: string): WordScan {
  const words: string[] = [];
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  let bareSign: '#' | ';' | null = null;
  const failed = (problem: string): WordScan => ({ words: [], bareSign, problem });

  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === '\0' || sign === '\n' || sign === '\r') {
      return failed(`has a ${sign === '\0' ? 'NUL' : 'line break'} in it, must be one line of text`);
    }
    if (quote !== null) {
      const escapes = quote === '"' && sign === '\\' && '"\\$`'.includes(text[at + 1] ?? ' ');
      if (escapes) word += text[++at]!;
      else if (sign === quote) quote = null;
      else word += sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      word ??= '';
    } else if (sign === ' ' || sign === '\t') {
      if (word !== null) words.push(word);
      word = null;
    } else {
      if (sign === '\\' && at + 1 === text.length)
        return failed('ends in a backslash, must have a sign after it');
      if (sign === '\\' && /[\0\n\r]/.test(text[at + 1]!)) continue;
      if (sign === '#' || sign === ';') bareSign ??= sign;
      word = (word ?? '') + (sign === '\\' ? text[++at]! : sign);
    }
  }
  if (quote !== null) return failed(`has an open ${quote}, must close it`);
  if (word !== null) words.push(word);
  return { words, bareSign, problem: null };
}
