import type { Host } from '../host/host.ts';
import { SYSTEM_PATH } from '../host/system-path.ts';
import { HostError } from '../words/errors.ts';

const LONGEST_QUOTE = 300;

/** One run of a command of the user's. `operation` is its name in the profile ("prepare-first"). */
export interface UserCommandRun {
  readonly guest: string;
  readonly operation: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Runs a command of the user's, without a shell, in an environment that says for whom and when: PASSQEMU_GUEST and
 * PASSQEMU_OPERATION. Past its time it gets SIGTERM, then SIGKILL. Throws unless it ends with status 0.
 */
export async function runUserCommand(host: Host, command: UserCommandRun): Promise<void> {
  const { guest, operation, argv, timeoutMs } = command;
  const env = { PATH: SYSTEM_PATH, LC_ALL: 'C', PASSQEMU_GUEST: guest, PASSQEMU_OPERATION: operation };
  const { status, stderr, timedOut } = await host.run(argv, { timeoutMs, env });
  if (status === 0 && !timedOut) return;
  const how = timedOut
    ? `it has not ended within ${timeoutMs / 1000} s`
    : status === null
      ? 'it was ended by a signal'
      : `it ended with status ${status}`;
  const said = lastLine(stderr);
  throw new HostError(
    `Cannot go past the command ${operation} (${argv[0]}): ${how}${said === '' ? '' : `: ${said}`}`,
    {
      path: argv[0] ?? null,
      hint: 'Its environment is bare: PATH of the system folders, PASSQEMU_GUEST and PASSQEMU_OPERATION',
    },
  );
}

/** What a program says last is mostly why; it is a stranger's text, so short and without control characters. */
function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return line
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .trim()
    .slice(0, LONGEST_QUOTE);
}
