import { DomainError, ProfileError, type ProfileProblem } from '../words/errors.ts';
import { quoted } from './parsed.ts';

/** One error with all that is wrong in a profile, by lines; a DomainError where it is the metadata of the domain alone. */
export function problemsError(
  { guest, path }: { readonly guest: string; readonly path: string },
  problems: readonly ProfileProblem[],
): ProfileError | DomainError {
  const sorted = [...problems].sort(
    (a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER),
  );
  const [first, ...others] = sorted;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const shown = others
    .slice(0, MOST_SHOWN)
    .flatMap((problem) => [sentenceOf(problem), ...(problem.hint === null ? [] : [`  ${problem.hint}`])]);
  if (others.length > MOST_SHOWN) shown.push(`… and ${others.length - MOST_SHOWN} more`);
  const hint = [...(first!.hint === null ? [] : [first!.hint]), ...shown].join('\n') || undefined;
  const isOfDomain = sorted.every((problem) => problem.line === null && problem.key !== null);
  return isOfDomain
    ? new DomainError(
        `Cannot use the metadata of domain ${JSON.stringify(guest)}: ${sentenceOf(first!)}${more}`,
        hint,
      )
    : new ProfileError(`Cannot read profile ${path}: ${sentenceOf(first!)}${more}`, hint, sorted);
}

/** Lines of other problems below the first; a file that is no profile at all has thousands. */
const MOST_SHOWN = 20;

function sentenceOf({ line, section, key, what }: ProfileProblem): string {
  const place = [
    section === null ? '' : `[${section.split(' ').map(plainName).join(' ')}]`,
    plainName(key ?? ''),
  ]
    .join(' ')
    .trim();
  const subject = [line === null ? '' : `line ${line}`, place].filter((part) => part !== '').join(', ');
  return `${subject === '' ? 'it' : subject} ${what}`;
}

/** A name as it stands, or in quotes where it is longer or odder than a name of ours. */
function plainName(name: string): string {
  return /^[\p{L}\p{N}._[\]-]{0,64}$/u.test(name) ? name : quoted(name);
}
