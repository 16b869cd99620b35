import { HostError } from '../words/errors.ts';
import type { StepKind } from './step-kind.ts';
import { runUserCommand } from './user-command.ts';

/** The operation whose command undoes another's: what was done first is undone last. */
const UNDONE_BY: Readonly<Record<string, string>> = {
  'prepare-first': 'release-last',
  'prepare-last': 'release-first',
};

/** How often a command on the way out is tried: by release, then by the next release, recover or start. */
const MOST_TRIES = 3;

/**
 * A command of the user's on the way in, and its counterpart on the way out. The counterpart runs at least once for each
 * prepare that came so far, also where the first has failed or was killed in the middle: nobody but the user knows how
 * far it came. One that fails stays in the journal and is tried again, but not for ever: it must not keep the guest from
 * starting for good. A try that was killed counts as one that failed.
 */
export const commandKind: StepKind<'command'> = {
  describe: ({ name, argv }) =>
    argv[0] === undefined
      ? `note the command ${UNDONE_BY[name]} for later`
      : `run the command ${name} (${argv[0]})`,
  describeUndo: ({ name, undoArgv }) =>
    undoArgv === null
      ? `leave what the command ${name} did`
      : `run the command ${UNDONE_BY[name]} (${undoArgv[0]})`,
  observe: () => null,

  async apply({ name, argv, timeoutMs }, _was, { host, guest }) {
    if (argv.length > 0) await runUserCommand(host, { guest, operation: name, argv, timeoutMs });
    return { failed: 0 };
  },

  async undo({ name, undoArgv, undoTimeoutMs }, _was, got, { host, guest, note }) {
    if (undoArgv === null) return;
    try {
      await runUserCommand(host, {
        guest,
        operation: UNDONE_BY[name] ?? name,
        argv: undoArgv,
        timeoutMs: undoTimeoutMs,
      });
    } catch (error) {
      if (!(error instanceof HostError) || (got?.failed ?? 0) < MOST_TRIES - 1) throw error;
      note(`${error.message}; given up after ${MOST_TRIES} tries`);
    }
  },

  settle: () => ({ failed: 0 }),
  settleUndo: (_step, _was, got) => ({ failed: got.failed + 1 }),
};
