import { CGROUPS } from './cgroups.ts';
import type { Host } from './host.ts';

/** Where systemd keeps its own tree, by how cgroups are mounted: version 2, hybrid, version 1. */
const TREES = [CGROUPS, `${CGROUPS}/unified`, `${CGROUPS}/systemd`];

/**
 * Whether a unit, given by its cgroup ("/system.slice/gdm.service"), has processes. What systemd would answer can only be had
 * by a program; the cgroup is there while the unit runs. See cgroup.events in Documentation/admin-guide/cgroup-v2.rst.
 */
export function hasProcesses(host: Host, cgroup: string): boolean {
  const folder = folderOf(host, cgroup);
  if (folder === null) return false;
  const events = host.readOptional(`${folder}/cgroup.events`);
  if (events !== null) return /^populated 1$/m.test(events);
  return (host.readOptional(`${folder}/cgroup.procs`) ?? '') !== '';
}

/** The numbers of the processes directly in a cgroup. */
export function readProcesses(host: Host, cgroup: string): readonly string[] {
  const text = host.readOptional(`${folderOf(host, cgroup)}/cgroup.procs`) ?? '';
  return text.split('\n').filter((pid) => /^\d+$/.test(pid));
}

function folderOf(host: Host, cgroup: string): string | null {
  return TREES.map((tree) => tree + cgroup).find((path) => host.exists(`${path}/cgroup.procs`)) ?? null;
}
