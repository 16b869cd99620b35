import type { ProcessIdentity } from '../host/host.ts';
import type { Processes } from '../host/processes.ts';
import { visible } from '../inputs/parsed.ts';
import { PassqemuError, RefusedError, ReleaseError } from '../words/errors.ts';

/** The program that this process is, and the options that every call of it gets. */
export interface OwnProgram {
  readonly argv: readonly string[];
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const COMPLAINT = 'passqemu: ';

/**
 * `prepare` and `release` of a launched guest: processes of their own, which do exactly what the commands do and do not die with the
 * launcher. Their lines are told as they come; their complaint is thrown again as ours, with the exit status that says how the host is.
 */
export async function runChange(
  processes: Processes,
  program: OwnProgram,
  words: readonly string[],
  on: { line(line: string): void; started?(change: ProcessIdentity): void },
): Promise<void> {
  const change = await processes.start([...program.argv, ...words, ...program.options], {
    env: program.env,
    socket: false,
  });
  on.started?.(change.identity);
  const complaint: string[] = [];
  let rest = '';
  const take = (line: string) => {
    if (line.startsWith(COMPLAINT)) complaint.push(visible(line.slice(COMPLAINT.length)));
    else if (complaint.length > 0) complaint.push(visible(line.trim()));
    else if (line.trim() !== '') on.line(visible(line));
  };
  change.onOutput((part) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  const { status, signal } = await change.ended;
  take(rest);
  if (status === 0) return;
  const more = complaint.slice(1).filter((line) => line !== '');
  const first =
    complaint[0] ??
    `passqemu ${words[0]} has ended ${signal === null ? `with status ${status}` : `by ${signal}`}`;
  if (status === 3) throw new ReleaseError(first, more);
  if (status === 2) throw new PassqemuError(first, more.join('; ') || undefined, 2);
  throw new RefusedError(
    first,
    more.map((summary) => ({ id: words[0] ?? '', summary, remedy: null })),
  );
}
