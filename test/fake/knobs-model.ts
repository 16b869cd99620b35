import { HostError } from '../../lib/words/errors.ts';
import type { FakeHost } from './fake-host.ts';

const THP = '/sys/kernel/mm/transparent_hugepage/enabled';
const CHOICES = ['always', 'madvise', 'never'];

/** Files that take a whole number in a range. */
const NUMBERS: readonly [path: string, value: number, least: number, most: number][] = [
  ['/sys/kernel/mm/ksm/run', 1, 0, 2],
  ['/proc/sys/kernel/sched_rt_runtime_us', 950_000, -1, 1_000_000],
  ['/proc/sys/kernel/nmi_watchdog', 1, 0, 1],
  ['/proc/sys/vm/stat_interval', 1, 0, 2 ** 31 - 1],
  ['/proc/sys/vm/compaction_proactiveness', 20, 0, 100],
];

/** Puts the files of all knobs with their usual values; a write is checked and shown as the kernel does. */
export function addKnobs(host: FakeHost): void {
  host.put(THP, 'always [madvise] never\n');
  host.onWrite(THP, (path, text) => {
    const wanted = text.trimEnd();
    if (!CHOICES.includes(wanted)) throw refusal(path);
    host.put(path, `${CHOICES.map((choice) => (choice === wanted ? `[${choice}]` : choice)).join(' ')}\n`);
  });
  for (const [path, value, least, most] of NUMBERS) {
    host.put(path, `${value}\n`);
    host.onWrite(path, (_path, text, machine) => {
      const number = /^-?\d+\n?$/.test(text) ? Number(text) : Number.NaN;
      if (!(number >= least && number <= most)) throw refusal(path);
      machine.put(path, `${number}\n`);
    });
  }
}

/** Puts a systemd with logind: systemd-inhibit lives on with a child when it is granted its lock, and ends when it is not. */
export function addLogind(host: FakeHost, about: { grants?: boolean } = {}): void {
  host.putFolder('/run/systemd/system');
  host.put('/usr/bin/systemd-inhibit', 'ELF', 0o755);
  host.onSpawn('systemd-inhibit', (_argv, pid, machine) => {
    if (about.grants === false) machine.endProcess(pid);
    else machine.put(`/proc/${pid}/task/${pid}/children`, `${pid + 50_000} `);
  });
}

/** The reasons of all inhibitors that live, without counting as a call. */
export function inhibitorReasons(host: FakeHost): string[] {
  const processes = host.tree.get('/proc');
  const pids = processes?.kind === 'folder' ? [...processes.children.keys()] : [];
  return pids.flatMap((pid) => {
    const argv = host.peek(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
    const why = argv.find((word) => word.startsWith('--why='));
    return argv[0] === 'systemd-inhibit' && why !== undefined ? [why.slice('--why='.length)] : [];
  });
}

function refusal(path: string): HostError {
  return new HostError(`Cannot write ${path}: EINVAL`, { code: 'EINVAL', path });
}
