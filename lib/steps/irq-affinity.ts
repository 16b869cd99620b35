import type { Host } from '../host/host.ts';
import { affinityPath, DEFAULT_AFFINITY } from '../host/irqs.ts';
import { type CpuSet, formatCpuList, parseCpuMask, without } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';

/** False where the kernel manages the interrupt itself (EIO before 6.12 or so, EPERM since) or has no room for it elsewhere. */
export function moveIrq(host: Host, irq: string, cpus: CpuSet): boolean {
  try {
    host.write(affinityPath(irq), formatCpuList(cpus));
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // Gone in the meantime: its handler let go of it
    if (error.code === 'ENOENT') return true;
    if (['EIO', 'EPERM', 'EINVAL', 'ENOSPC', 'EBUSY', 'EACCES'].includes(error.code ?? '')) return false;
    throw error;
  }
}

/** An interrupt needs a CPU: where guests have all of its own, the host's take their place. */
export function offGuests(base: CpuSet, guests: CpuSet, hostCpus: CpuSet): CpuSet {
  const left = without(base, guests);
  return left.length > 0 ? left : hostCpus;
}

export function readDefaultMask(host: Host): CpuSet {
  return maskOf(host.read(DEFAULT_AFFINITY));
}

export function maskOf(text: string): CpuSet {
  const cpus = parseCpuMask(text);
  if (cpus === null) throw new HostError(`Cannot read the CPU mask ${JSON.stringify(text)}: it is not one`);
  return cpus;
}
