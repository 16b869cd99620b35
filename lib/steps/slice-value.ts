import type { Host } from '../host/host.ts';
import { allowedCpusDropIn, parseAllowedCpus } from '../host/systemd.ts';
import { type CpuSet, parseCpuList, without } from '../words/cpu-list.ts';
import type { Memory } from '../words/step.ts';
import { cpusOf, isNarrowedBy } from './shared-cpus.ts';

/** The text of the drop-in file that our calls to systemd write, to the byte, or null. */
export function readDropIn(host: Host, unit: string): string | null {
  const path = allowedCpusDropIn(unit);
  return host.exists(path) ? host.readBytes(path).toString('utf8') : null;
}

/** Who has written a drop-in: we (our base less CPUs of guests; unset, which is what undo asks for), or somebody else. */
export function whoseDropIn(
  dropIn: string | null,
  was: Memory<'slice'>,
  guests: CpuSet,
): 'ours' | 'theirs' | null {
  if (dropIn === null) return null;
  const cpus = parseAllowedCpus(dropIn);
  return cpus.length === 0 || isOurs(cpus, was, guests) ? 'ours' : 'theirs';
}

/** Who has narrowed a cgroup, by its cpuset.cpus; null where nobody has. */
export function whoseList(
  list: string | null,
  was: Memory<'slice'>,
  guests: CpuSet,
): 'ours' | 'theirs' | null {
  const cpus = parseCpuList(list ?? '') ?? [];
  if (cpus.length === 0 || without(cpusOf(was.effective), cpus).length === 0) return null;
  return isOurs(cpus, was, guests) ? 'ours' : 'theirs';
}

function isOurs(cpus: CpuSet, was: Memory<'slice'>, guests: CpuSet): boolean {
  // systemd 257 does not write at a daemon-reload, so its setting and the cgroup may have differed before us
  const wide = was.allowed === '' ? cpusOf(was.online) : cpusOf(was.allowed);
  return isNarrowedBy(cpus, cpusOf(was.effective), guests) || isNarrowedBy(cpus, wide, guests);
}
