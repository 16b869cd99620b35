import { dirname } from 'node:path';
import type { Host, ProcessIdentity } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import type { Processes, StartedProcess } from '../host/processes.ts';
import { visible } from '../inputs/parsed.ts';
import type { RunPlan } from '../qemu/run-plan.ts';
import { waitUntil } from '../steps/wait-until.ts';
import { HostError } from '../words/errors.ts';
import { within } from './within.ts';

const TOOL_MS = 60_000;
const LISTEN_MS = 15_000;
const END_MS = 5_000;

type User = RunPlan['user'];

/** Makes the files and folders that the guest keeps or needs; what is there stays as it is. */
export async function makeFiles(host: Host, { prepare, user, guest }: RunPlan): Promise<void> {
  const owner = user === null ? [] : ['-o', String(user.uid), '-g', String(user.gid)];
  for (const folder of prepare.folders) {
    if (host.exists(folder)) continue;
    // Whoever QEMU runs as must come through to it
    host.makeFolder(dirname(folder), 0o755);
    host.makeFolder(folder, 0o700);
    if (user !== null) host.changeOwner(folder, user.uid, user.gid);
  }
  const { variables } = prepare;
  if (variables !== null && !host.exists(variables.to)) {
    // Under another name first: half a copy must not be taken for the guest's variables
    const fresh = `${variables.to}.new`;
    await tool(host, guest, ['install', '-m', '0600', ...owner, '--', variables.from, fresh]);
    host.replaceFile(variables.record.path, variables.record.text, 0o600);
    await tool(host, guest, ['mv', '-f', '-T', '--', fresh, variables.to]);
  }
  for (const { argv, unless } of prepare.once) {
    if (!host.exists(unless)) await tool(host, guest, [...asUser(user), ...argv]);
  }
  for (const { path, sizeBytes } of prepare.files) {
    const facts = host.stat(path);
    if (facts !== null && facts.sizeBytes >= sizeBytes) continue;
    if (facts === null) await tool(host, guest, ['install', '-m', '0660', ...owner, '--', '/dev/null', path]);
    await tool(host, guest, ['truncate', '-s', String(sizeBytes), '--', path]);
  }
}

/** What only this run needs: sockets, virtiofsd's own numbers beside them, and the folders that hold all that, innermost first. */
export function runFiles({ prepare, sidecars, sockets }: RunPlan): string[] {
  const paths = [...sidecars.flatMap(({ socket }) => [socket, `${socket}.pid`]), ...Object.values(sockets)];
  return [...paths.filter((path) => path !== null), ...[...prepare.folders].reverse()];
}

/** The programs beside QEMU: started before it, each when the one before listens; ended after it. */
export class Companions {
  readonly #host: Host;
  readonly #started: StartedProcess[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  async start(
    processes: Processes,
    plan: RunPlan,
    env: Readonly<Record<string, string>>,
    say: (line: string) => void,
  ): Promise<void> {
    for (const { name, argv, socket, asUser: drops } of plan.sidecars) {
      // What an earlier run has left behind would look like a program that listens
      this.#host.remove(socket);
      const one = await processes.start([...(drops ? asUser(plan.user) : []), ...argv], {
        env,
        socket: false,
      });
      this.#started.push(one);
      let last = '';
      one.onOutput((text) => {
        last = visible(text.trim().split('\n').at(-1) ?? '').slice(0, 300) || last;
      });
      const listens = await waitUntil(
        this.#host,
        LISTEN_MS,
        () => this.#host.exists(socket) || !isRunning(this.#host, one.identity),
      );
      if (!listens || !this.#host.exists(socket)) {
        throw new HostError(
          `Cannot start ${plan.guest}: ${name} (${argv[0]}) does not listen on ${socket}${last === '' ? '' : `: ${last}`}`,
        );
      }
      void one.ended.then(({ status, signal }) => {
        if (status !== 0 && signal !== 'SIGTERM')
          say(`${name} has ended with ${status ?? signal}${last === '' ? '' : `: ${last}`}`);
      });
    }
  }

  /** Ends what is still there: most end by themselves when QEMU lets go. */
  async end(): Promise<void> {
    for (const one of this.#started.reverse()) {
      if (await within(200, one.ended)) continue;
      await endProcess(this.#host, one.identity, one.ended);
    }
  }
}

async function endProcess(host: Host, process: ProcessIdentity, ended: Promise<unknown>): Promise<void> {
  host.signal(process, 'SIGTERM');
  if (await within(END_MS, ended)) return;
  host.signal(process, 'SIGKILL');
  await ended;
}

/** setpriv(1): another user for good, with the groups that the user has. */
function asUser(user: User): string[] {
  return user === null
    ? []
    : [
        'setpriv',
        '--reuid',
        String(user.uid),
        '--regid',
        String(user.gid),
        '--init-groups',
        '--no-new-privs',
        '--',
      ];
}

async function tool(host: Host, guest: string, argv: readonly string[]): Promise<void> {
  const { status, stderr } = await host.run(argv, { timeoutMs: TOOL_MS });
  if (status === 0) return;
  const said = visible(stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
  throw new HostError(
    `Cannot make what ${guest} needs: ${said === '' ? `${argv[0]} answered ${status}` : said}`,
  );
}
