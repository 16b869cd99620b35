import type { CpuSet } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { readCpuListFile } from './online-cpus.ts';

export const CGROUPS = '/sys/fs/cgroup';

/** How cgroups are mounted: "hybrid" has controllers on version 1 beside an empty version 2. */
export type CgroupMode = 'v2' | 'hybrid' | 'v1' | 'none';

/** A cgroup's cpuset files; a cgroup without the controller has none of them (null). */
export interface Cpuset {
  readonly cpus: string | null;
  readonly effective: CpuSet | null;
  /** "member", "root", "isolated", or one of these with "invalid (reason)". */
  readonly partition: string | null;
}

/** Which cgroup version the machine uses. See Documentation/admin-guide/cgroup-v2.rst. */
export function readCgroupMode(host: Host): CgroupMode {
  if (host.exists(`${CGROUPS}/cgroup.controllers`)) return 'v2';
  if (host.exists(`${CGROUPS}/unified/cgroup.controllers`)) return 'hybrid';
  return host.list(CGROUPS).length > 0 ? 'v1' : 'none';
}

/** Whether the root of version 2 has the cpuset controller to give. */
export function hasCpusetController(host: Host): boolean {
  return words(host.readOptional(`${CGROUPS}/cgroup.controllers`)).includes('cpuset');
}

/** The controllers that the children of a cgroup have, as cgroup.subtree_control lists them. */
export function readSubtreeControl(host: Host, cgroup: string): readonly string[] {
  return words(host.readOptional(`${cgroupPath(cgroup)}/cgroup.subtree_control`));
}

/** Reads a cgroup's cpuset; "" is the root. */
export function readCpuset(host: Host, cgroup: string): Cpuset {
  return {
    cpus: readCpusetList(host, cgroup),
    effective: readOwnEffectiveCpus(host, cgroup),
    partition: host.readOptional(`${cgroupPath(cgroup)}/cpuset.cpus.partition`),
  };
}

/** What a cgroup's cpuset.cpus says, to the letter; null where it has no cpuset. */
export function readCpusetList(host: Host, cgroup: string): string | null {
  return host.readOptional(`${cgroupPath(cgroup)}/cpuset.cpus`);
}

/** The CPUs that a cgroup with a cpuset may use, null for one without. */
export function readOwnEffectiveCpus(host: Host, cgroup: string): CpuSet | null {
  return readCpuListFile(host, `${cgroupPath(cgroup)}/cpuset.cpus.effective`);
}

/** The CPUs that a cgroup's tasks may use: its own effective set or that of the nearest one above that has the files. */
export function readEffectiveCpus(host: Host, cgroup: string): CpuSet | null {
  for (
    let path = cgroup.replace(/^\/+|\/+$/g, '');
    ;
    path = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  ) {
    const effective = readCpuListFile(host, `${cgroupPath(path)}/cpuset.cpus.effective`);
    if (effective !== null || path === '') return effective;
  }
}

/** The cgroup of a task below the root of version 2 ("/system.slice/ssh.service"), or null. */
export function readCgroupOf(host: Host, task: string): string | null {
  return /^0::(\/.*)$/m.exec(host.readOptional(`/proc/${task}/cgroup`) ?? '')?.[1] ?? null;
}

/** The child cgroups: all that are no files of the controllers, which systemd keeps apart by an underscore. */
export function listChildCgroups(host: Host, cgroup: string): string[] {
  const prefix = cgroup === '' ? '' : `${cgroup}/`;
  return host
    .list(cgroupPath(cgroup))
    .filter(
      (name) =>
        !/^(?:cgroup|cpuset|cpu|memory|io|pids|hugetlb|rdma|misc|irq|dmem|debug|perf_event)\./.test(name),
    )
    .map((name) => prefix + name);
}

/** The folder of a cgroup given by its path below the root. */
export function cgroupPath(cgroup: string): string {
  return cgroup === '' ? CGROUPS : `${CGROUPS}/${cgroup}`;
}

function words(text: string | null): string[] {
  return text === null ? [] : text.split(/\s+/).filter((word) => word !== '');
}
