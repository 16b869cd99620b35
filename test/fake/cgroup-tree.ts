import { type CpuSet, intersectionOf } from '../../lib/words/cpu-list.ts';

export const ROOT = '/sys/fs/cgroup';

/** A cgroup: what is written to its files. */
export interface Group {
  cpus: CpuSet;
  partition: string;
  readonly subtree: Set<string>;
}

/** The cgroups by their names, "" for the root; who is in them knows the model. */
export interface CgroupTree {
  readonly groups: ReadonlyMap<string, Group>;
  readonly tasks: ReadonlyMap<number, { readonly cgroup: string }>;
}

export function hasCpuset(model: CgroupTree, name: string): boolean {
  return name === '' || parentSubtree(model, name).has('cpuset');
}

export function parentSubtree(model: CgroupTree, name: string): Set<string> {
  return model.groups.get(parentOf(name))?.subtree ?? new Set();
}

export function hasTasks(model: CgroupTree, name: string): boolean {
  return [...model.tasks.values()].some(({ cgroup }) => cgroup === name || cgroup.startsWith(`${name}/`));
}

export function isPartition(group: Group): boolean {
  return group.partition === 'root' || group.partition === 'isolated';
}

export function isExclusive(model: CgroupTree, name: string): boolean {
  const { cpus } = model.groups.get(name)!;
  return childrenOf(model, parentOf(name)).every(
    (other) => other === name || intersectionOf(model.groups.get(other)!.cpus, cpus).length === 0,
  );
}

export function invalid(partition: string): string {
  return `${partition.split(' ')[0]} invalid (Cpu list in cpuset.cpus not exclusive)`;
}

export function childrenOf(model: CgroupTree, name: string): string[] {
  return [...model.groups.keys()].filter((other) => other !== '' && parentOf(other) === name);
}

export function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** The cgroup that a file is of. */
export function nameOf(path: string): string {
  return path.slice(ROOT.length, path.lastIndexOf('/')).replace(/^\//, '');
}
