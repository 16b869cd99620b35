import { isRunning } from '../lib/host/is-running.ts';
import { describeGuestState, NO_ANSWER, readGuestState } from '../lib/run/guest-state.ts';
import { type LaunchRecord, readLaunches } from '../lib/run/launch-record.ts';
import { HostError } from '../lib/words/errors.ts';
import type { Globals } from './globals.ts';
import { talkTo } from './launched.ts';

/** A guest of `passqemu run` whose QEMU runs. */
export interface RunningGuest {
  readonly guest: string;
  readonly qemuPid: number;
  /** Null where it was killed: then `passqemu stop` gives back what the guest holds, or recover once QEMU has ended. */
  readonly launcherPid: number | null;
  readonly since: string;
  /** QEMU's word for how the guest is ("running", "suspended" …), or NO_ANSWER; null for whom QEMU does not talk to. */
  readonly state: string | null;
}

/** Those in the state folder, and for an ordinary user their own too; only the one that is wanted, where one is. */
export async function listRunning(wanted: string | null, globals: Globals): Promise<RunningGuest[]> {
  const { host, stateDir, stateDirGiven } = globals;
  const own = process.env.XDG_RUNTIME_DIR;
  const folders = new Set([
    stateDir,
    ...(stateDirGiven || own === undefined || process.getuid?.() === 0 ? [] : [`${own}/passqemu`]),
  ]);
  const launches = [...folders]
    .flatMap((folder) => readLaunches(host, folder).map((record) => ({ folder, record })))
    .filter(({ record }) => (wanted === null || record.guest === wanted) && isRunning(host, record.qemu));
  return Promise.all(
    launches.map(async ({ folder, record }) => ({
      guest: record.guest,
      qemuPid: record.qemu.pid,
      launcherPid: isRunning(host, record.launcher) ? record.launcher.pid : null,
      since: new Date(record.at).toISOString(),
      state: await askState(record, folder, globals),
    })),
  );
}

/** By whichever of its sockets is free: `stop` has one as long as it waits, an open `monitor` the other. */
async function askState(record: LaunchRecord, folder: string, globals: Globals): Promise<string | null> {
  if (globals.host.root !== '/') return null;
  const ask = async (socket: 'qmp' | 'monitor') => {
    const qmp = await talkTo(record, globals, socket, folder);
    return readGuestState(qmp).finally(() => qmp.close());
  };
  const [first, second] = await Promise.allSettled([ask('monitor'), ask('qmp')]);
  if (first.status === 'fulfilled') return first.value;
  if (second.status === 'fulfilled') return second.value;
  const error: unknown = first.reason;
  if (!(error instanceof HostError)) throw error;
  return error.code === 'EACCES' ? null : NO_ANSWER;
}

/** One line, and a second one for what is not as usual. */
export function formatRunning({ guest, qemuPid, launcherPid, since, state }: RunningGuest): string {
  const by =
    launcherPid === null
      ? `its launcher was killed: passqemu stop ${guest} ends it and gives everything back`
      : `launcher ${launcherPid}`;
  const more = state === null ? null : describeGuestState(state, guest);
  return `${guest}: runs since ${since} (QEMU ${qemuPid}; ${by})${more === null ? '' : `\n  ${more}`}`;
}
