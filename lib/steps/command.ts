import type { StepKind } from './step-kind.ts';
import { runUserCommand } from './user-command.ts';

/** The operation whose command undoes another's: what was done first is undone last. */
const UNDONE_BY: Readonly<Record<string, string>> = {
  'prepare-first': 'release-last',
  'prepare-last': 'release-first',
};

/**
 * A command of the user's on the way in, and its counterpart on the way out. The counterpart runs at least once for each
 * prepare that came so far, also where the first has failed or was killed in the middle: nobody but the user knows how
 * far it came. One that fails stays in the journal: the next release or recover tries it again, and says so each time.
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
    return null;
  },

  async undo({ name, undoArgv, undoTimeoutMs }, _was, _got, { host, guest }) {
    if (undoArgv === null) return;
    await runUserCommand(host, {
      guest,
      operation: UNDONE_BY[name] ?? name,
      argv: undoArgv,
      timeoutMs: undoTimeoutMs,
    });
  },
};
