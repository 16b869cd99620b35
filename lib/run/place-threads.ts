import type { Host } from '../host/host.ts';
import { type CpuSet, formatCpuList, sameCpus } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import {
  type GuestThreads,
  type Placement,
  parseScheduling,
  planPlacements,
  type ThreadWishes,
} from './threads.ts';

const LIMIT_MS = 10_000;

/**
 * Puts a paused QEMU's threads on their CPUs: all of the process to the emulator's first, where it was not started on them, because
 * threads that are born later take after the main one, then each vCPU and iothread to its own, then real-time scheduling; and looks at what
 * the kernel made of it, because a cpuset may cut a CPU list short without a word (sched_setaffinity(2), cpuset(7)).
 */
export async function placeThreads(
  host: Host,
  pid: number,
  wishes: ThreadWishes,
  threads: GuestThreads,
): Promise<readonly Placement[]> {
  const placements = planPlacements(wishes, threads);
  if (wishes.emulator !== null && findMisplaced(host, pid, wishes.emulator, []).length > 0) {
    await run(
      host,
      ['taskset', '--all-tasks', '--cpu-list', '--pid', formatCpuList(wishes.emulator), `${pid}`],
      'the emulator',
    );
  }
  await Promise.all(placements.map((one) => place(host, one)));
  const misplaced = findMisplaced(host, pid, wishes.emulator, placements);
  if (misplaced.length > 0) {
    throw new HostError(`Cannot place the guest's threads: ${misplaced.join('; ')}`, {
      hint: 'The cgroup that QEMU runs in must have these CPUs (cpuset.cpus.effective): see passqemu status',
    });
  }
  return placements;
}

/** What is not where it should be, in words. */
export function findMisplaced(
  host: Host,
  pid: number,
  emulator: CpuSet | null,
  placements: readonly Placement[],
): string[] {
  const main: Placement = { task: pid, name: 'the emulator', cpus: emulator, realtime: null };
  return [...(emulator === null ? [] : [main]), ...placements].flatMap((one) => {
    const path = `/proc/${pid}/task/${one.task}`;
    const status = host.readOptional(`${path}/status`);
    if (status === null) return [`${one.name} is gone`];
    const now = parseScheduling(status, host.readOptional(`${path}/stat`) ?? '');
    const words: string[] = [];
    if (one.cpus !== null && (now.cpus === null || !sameCpus(now.cpus, one.cpus))) {
      words.push(
        `${one.name} may use CPUs ${now.cpus === null ? '?' : formatCpuList(now.cpus)}, must be ${formatCpuList(one.cpus)}`,
      );
    }
    const { realtime } = one;
    if (realtime !== null && (now.policy !== realtime.policy || now.priority !== realtime.priority)) {
      words.push(
        `${one.name} is scheduled as ${now.policy ?? '?'} ${now.priority}, must be ${realtime.policy} ${realtime.priority}`,
      );
    }
    return words;
  });
}

async function place(host: Host, { task, name, cpus, realtime }: Placement): Promise<void> {
  if (cpus !== null)
    await run(host, ['taskset', '--cpu-list', '--pid', formatCpuList(cpus), `${task}`], name);
  if (realtime === null) return;
  const argv = ['chrt', `--${realtime.policy}`, '--pid', `${realtime.priority}`, `${task}`];
  await run(host, argv, name);
}

/** taskset(1) and chrt(1) of util-linux: Node has no call for either. */
async function run(host: Host, argv: readonly string[], name: string): Promise<void> {
  const { status, stderr } = await host.run(argv, { timeoutMs: LIMIT_MS });
  if (status === 0) return;
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  const mayRealtime =
    argv[0] === 'chrt' && /not permitted/i.test(said)
      ? ' (real time takes root, and on kernels with CONFIG_RT_GROUP_SCHED a share of it for the cgroup)'
      : '';
  throw new HostError(
    `Cannot place ${name}: ${said === '' ? `${argv[0]} answered ${status}` : said}${mayRealtime}`,
  );
}
