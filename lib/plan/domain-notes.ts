import type { Domain } from '../inputs/domain.ts';
import { formatKib } from '../words/size.ts';

/** What QEMU needs beside the guest's memory when all of it is locked for VFIO: libvirt itself allows it 1 GiB (qemuDomainGetMemLockLimitBytes()). */
const BESIDE_KIB = 1 << 20;

/** What of the domain's own settings will not go well with devices of the host or with CPUs that the host shares. */
export function noteDomain(domain: Domain | null, hasDevices: boolean, hasOwnCpus: boolean): string[] {
  if (domain === null) return [];
  return [...noteHardLimit(domain, hasDevices), ...noteRealTime(domain, hasOwnCpus)];
}

/** <memtune><hard_limit> becomes the limit of what QEMU may lock and of its cgroup (formatdomain, "Memory Tuning"). */
function noteHardLimit({ memtune, memoryKib }: Domain, hasDevices: boolean): string[] {
  const { hardLimitKib } = memtune;
  if (!hasDevices || hardLimitKib === null || memoryKib === null || hardLimitKib >= memoryKib + BESIDE_KIB)
    return [];
  return [
    `<memtune><hard_limit> is ${formatKib(hardLimitKib)}: with devices of the host all ${formatKib(memoryKib)} of the guest are locked, and QEMU needs about 1 GiB beside them. Raise it or leave it out`,
  ];
}

/** A real-time vCPU that never sleeps starves whatever else the host has on its CPU (sched(7)). */
function noteRealTime({ vcpuScheds }: Domain, hasOwnCpus: boolean): string[] {
  const real = vcpuScheds.filter(({ scheduler }) => scheduler === 'fifo' || scheduler === 'rr');
  if (real.length === 0 || hasOwnCpus) return [];
  const which = [...new Set(real.map(({ scheduler }) => scheduler))].join(', ');
  return [
    `<vcpusched> makes vCPUs real-time (${which}), and the host is not kept off their CPUs: what else runs there stands still. Pin every vCPU (<vcpupin>) and leave isolate on`,
  ];
}
