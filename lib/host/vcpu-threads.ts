import { formatCpuList, parseCpuList } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { readQemuProcesses } from './qemu-processes.ts';

/** Where a running guest's vCPUs may run now, as kernel lists. */
export interface RunningGuest {
  readonly guest: string;
  readonly vcpus: readonly { readonly vcpu: number; readonly cpus: string }[];
}

/**
 * Every QEMU that runs with the names of its threads on (libvirt has them on: debug-threads), by its command line, and the
 * affinity of its vCPU threads, which are called "CPU 3/KVM" or "CPU 3/TCG". See proc(5): comm, and Cpus_allowed_list in status.
 */
export function readVcpuThreads(host: Host): RunningGuest[] {
  return readQemuProcesses(host).flatMap(({ pid, guest }) => {
    if (guest === null) return [];
    const vcpus = host.list(`/proc/${pid}/task`).flatMap((task) => {
      const folder = `/proc/${pid}/task/${task}`;
      const vcpu = /^CPU (\d{1,5})\/(?:KVM|TCG)$/.exec(host.readOptional(`${folder}/comm`) ?? '')?.[1];
      const status = vcpu === undefined ? null : host.readOptional(`${folder}/status`);
      const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? '')?.[1];
      const cpus = allowed === undefined ? null : parseCpuList(allowed);
      return cpus === null ? [] : [{ vcpu: Number(vcpu), cpus: formatCpuList(cpus) }];
    });
    return [{ guest, vcpus: vcpus.sort((a, b) => a.vcpu - b.vcpu) }];
  });
}
