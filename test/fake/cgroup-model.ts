import { type CpuSet, formatCpuList, intersectionOf, sameCpus, without } from '../../lib/words/cpu-list.ts';
import {
  childrenOf,
  type Group,
  hasCpuset,
  hasTasks,
  invalid,
  isExclusive,
  isPartition,
  nameOf,
  parentOf,
  parentSubtree,
  ROOT,
} from './cgroup-tree.ts';
import { listOf, refusal } from './cpu-model.ts';
import type { FakeHost } from './fake-host.ts';

const CONTROLLERS = 'cpuset cpu io memory hugetlb pids rdma misc';

/** A task of the fake machine. `pin` is what sched_setaffinity(2) was asked for; `fixed` a kernel thread that nobody can pin. */
export interface FakeTask {
  readonly pid: number;
  readonly name: string;
  /** "" for the root. */
  readonly cgroup: string;
  readonly pin?: string;
  readonly kernel?: boolean;
  readonly fixed?: boolean;
  /** Ten times its number, where it is not said. */
  readonly startTicks?: number;
}

interface Task extends FakeTask {
  /** What the kernel still knows of the pin. */
  wanted: CpuSet | null;
  mask: CpuSet;
}

interface Model {
  readonly groups: Map<string, Group>;
  readonly tasks: Map<number, Task>;
  /** Whether this kernel loses pins when a cpuset changes, as those before 6.2 do. */
  readonly forgets: boolean;
}

const models = new WeakMap<FakeHost['tree'], Model>();

/**
 * Puts cgroup version 2 with these cgroups ("system.slice/ssh.service" needs "system.slice" before it), answering as 6.1
 * (`forgets`) or 6.12 does: a partition write always succeeds, a cgroup with tasks cannot be emptied, affinities get lost.
 */
export function addCgroups(
  host: FakeHost,
  cgroups: readonly string[],
  about: { forgets?: boolean; subtree?: string } = {},
): void {
  const model: Model = { groups: new Map(), tasks: new Map(), forgets: about.forgets ?? false };
  models.set(host.tree, model);
  const subtree = about.subtree === undefined ? [] : about.subtree.split(' ');
  for (const name of ['', ...cgroups]) model.groups.set(name, newGroup(name === '' ? subtree : []));
  host.onFolder(/^\/sys\/fs\/cgroup\/./, changeFolder);
  host.onWrite(/^\/sys\/fs\/cgroup\/.*cgroup\.subtree_control$/, writeSubtree);
  host.onWrite(/^\/sys\/fs\/cgroup\/.+\/cpuset\.cpus$/, (path, text) => writeCpus(host, nameOf(path), text));
  host.onWrite(/^\/sys\/fs\/cgroup\/.+\/cpuset\.cpus\.partition$/, writePartition);
  host.onRun('taskset', (argv) => runTaskset(host, argv));
  show(host, model);
}

/** Puts tasks into cgroups, pinned or not. */
export function addTasks(host: FakeHost, ...tasks: readonly FakeTask[]): void {
  const model = modelOf(host);
  for (const task of tasks) {
    const wanted = task.pin === undefined ? null : listOf(task.pin);
    model.tasks.set(task.pid, { ...task, wanted, mask: wanted ?? usable(host, model, task.cgroup) });
  }
  show(host, model);
}

/** A kernel thread that the kernel makes anew, pinned to these CPUs whatever cpusets there are; null ends it. */
export function renewKernelThread(host: FakeHost, pid: number, name: string, cpus: string | null): void {
  const model = models.get(host.tree);
  if (model === undefined) return;
  host.drop(`/proc/${pid}`);
  model.tasks.delete(pid);
  if (cpus !== null) addTasks(host, { pid, name, cgroup: '', pin: cpus, kernel: true, fixed: true });
  else show(host, model);
}

/** Where a task may run. */
export function taskCpus(host: FakeHost, pid: number): string {
  return formatCpuList(modelOf(host).tasks.get(pid)?.mask ?? []);
}

/** Takes the cgroups away again, as on a machine without them. */
export function forgetCgroups(host: FakeHost): void {
  models.delete(host.tree);
  host.drop(ROOT);
}

/** What systemd does to a cgroup; nothing where it is not there. */
export function changeCgroup(
  host: FakeHost,
  cgroup: string,
  cpus: string | null,
  cpusetWanted: boolean,
): void {
  const model = modelOf(host);
  const root = model.groups.get('')!;
  const passedOn = [...model.groups].some(([name, group]) => name !== '' && group.subtree.has('cpuset'));
  const before = root.subtree.has('cpuset');
  if (cpusetWanted && !before) setSubtree(host, model, '', '+cpuset');
  if (!cpusetWanted && before && !passedOn) setSubtree(host, model, '', '-cpuset');
  if (cpus === null || !model.groups.has(cgroup) || !root.subtree.has('cpuset')) return;
  try {
    writeCpus(host, cgroup, cpus === '' ? '\n' : cpus);
  } catch {
    // systemd only logs that the kernel refuses
  }
}

function newGroup(subtree: readonly string[]): Group {
  return { cpus: [], partition: 'member', subtree: new Set(subtree) };
}

function modelOf(host: FakeHost): Model {
  const model = models.get(host.tree);
  if (model === undefined) throw new Error('addCgroups() comes first');
  return model;
}

function changeFolder(path: string, act: 'made' | 'removing', host: FakeHost): void {
  const model = modelOf(host);
  const name = nameOf(`${path}/`);
  if (act === 'made') {
    model.groups.set(name, newGroup([]));
    change(host, model, () => {});
    return;
  }
  const isUsed =
    hasTasks(model, name) || [...model.groups.keys()].some((other) => other.startsWith(`${name}/`));
  if (isUsed) throw refusal(path, 'EBUSY');
  change(host, model, () => model.groups.delete(name));
}

function writeSubtree(path: string, text: string, host: FakeHost): void {
  setSubtree(host, modelOf(host), nameOf(path), text);
}

function setSubtree(host: FakeHost, model: Model, name: string, text: string): void {
  const group = model.groups.get(name)!;
  const path = `${ROOT}/${name}/cgroup.subtree_control`;
  change(host, model, () => {
    for (const word of text.trim().split(/\s+/)) {
      const controller = word.slice(1);
      if (!CONTROLLERS.split(' ').includes(controller)) throw refusal(path, 'EINVAL');
      if (word.startsWith('+')) group.subtree.add(controller);
      else if (childrenOf(model, name).some((child) => model.groups.get(child)!.subtree.has(controller))) {
        throw refusal(path, 'EBUSY');
      } else group.subtree.delete(controller);
    }
  });
}

function writeCpus(host: FakeHost, name: string, text: string): void {
  const model = modelOf(host);
  const group = model.groups.get(name)!;
  const path = `${ROOT}/${name}/cpuset.cpus`;
  if (text === '') return;
  const cpus = listOf(text.trim());
  if (cpus.length === 0 && hasTasks(model, name)) throw refusal(path, 'ENOSPC');
  if (without(cpus, listOf(host.peek('/sys/devices/system/cpu/possible') ?? '')).length > 0)
    throw refusal(path, 'EINVAL');
  change(host, model, () => {
    group.cpus = cpus;
    // An overlap is written all the same, and ends the partition of the sibling
    for (const [other, sibling] of model.groups) {
      if (other === name || parentOf(other) !== parentOf(name) || !isPartition(sibling)) continue;
      if (intersectionOf(sibling.cpus, cpus).length > 0) sibling.partition = invalid(sibling.partition);
    }
    if (isPartition(group) && !isExclusive(model, name)) group.partition = invalid(group.partition);
  });
}

function writePartition(path: string, text: string, host: FakeHost): void {
  const model = modelOf(host);
  const name = nameOf(path);
  const group = model.groups.get(name)!;
  const kind = text.trim();
  if (!['member', 'root', 'isolated'].includes(kind)) throw refusal(path, 'EINVAL');
  change(host, model, () => {
    if (kind === 'member') group.partition = kind;
    // 6.1 keeps an invalid one invalid until it has been a member again
    else if (group.partition.includes('invalid') && model.forgets) return;
    else if (group.cpus.length === 0) group.partition = `${kind} invalid (cpuset.cpus is empty)`;
    else group.partition = isExclusive(model, name) ? kind : invalid(kind);
  });
}

function runTaskset(host: FakeHost, argv: readonly string[]): { status: number; stderr?: string } {
  const model = modelOf(host);
  const task = model.tasks.get(Number(argv[3]));
  const cpus = listOf(argv[2] ?? '');
  const may = task === undefined ? [] : intersectionOf(cpus, usable(host, model, task.cgroup));
  if (task === undefined || argv[1] !== '-pc' || task.fixed === true || may.length === 0) {
    return { status: 1, stderr: `taskset: failed to set pid ${argv[3]}'s affinity: Invalid argument\n` };
  }
  task.wanted = cpus;
  task.mask = may;
  show(host, model);
  return { status: 0 };
}

/** Carries out a change and then does to tasks what the kernel does whenever the CPUs of their cgroup have changed. */
function change(host: FakeHost, model: Model, act: () => void): void {
  const names = [...model.groups.keys()];
  const before = new Map(names.map((name) => [name, fingerprint(host, model, name)]));
  act();
  for (const task of model.tasks.values()) {
    if (before.get(task.cgroup) === fingerprint(host, model, task.cgroup)) continue;
    const may = usable(host, model, task.cgroup);
    if (model.forgets) task.wanted = null;
    else if (task.fixed === true) continue;
    // Kernel threads are pinned by the kernel itself, which keeps no memory of it
    else if (task.kernel === true) task.wanted = null;
    const left = task.wanted === null ? may : intersectionOf(task.wanted, may);
    task.mask = left.length > 0 ? left : may;
  }
  show(host, model);
}

/** What a task's cpuset is: a change of any of it makes the kernel set the masks of the tasks anew. */
function fingerprint(host: FakeHost, model: Model, name: string): string {
  return model.groups.has(name)
    ? `${hasCpuset(model, name)} ${formatCpuList(usable(host, model, name))}`
    : 'gone';
}

function show(host: FakeHost, model: Model): void {
  for (const [name, group] of model.groups) {
    const path = name === '' ? ROOT : `${ROOT}/${name}`;
    const tasks = [...model.tasks.values()]
      .filter(({ cgroup }) => cgroup === name)
      .map(({ pid }) => `${pid}\n`);
    host.put(
      `${path}/cgroup.controllers`,
      `${name === '' ? CONTROLLERS : [...parentSubtree(model, name)].join(' ')}\n`,
    );
    host.put(`${path}/cgroup.subtree_control`, `${[...group.subtree].sort().join(' ')}\n`);
    host.put(`${path}/cgroup.threads`, tasks.join(''));
    host.put(`${path}/cgroup.procs`, tasks.join(''));
    if (name !== '')
      host.put(`${path}/cgroup.events`, `populated ${hasTasks(model, name) ? 1 : 0}\nfrozen 0\n`);
    const files = ['cpuset.cpus', 'cpuset.cpus.partition', 'cpuset.cpus.effective'];
    if (!hasCpuset(model, name)) for (const file of files) host.drop(`${path}/${file}`);
    else host.put(`${path}/cpuset.cpus.effective`, `${formatCpuList(usable(host, model, name))}\n`);
    if (name === '' || !hasCpuset(model, name)) continue;
    host.put(`${path}/cpuset.cpus`, `${formatCpuList(group.cpus)}\n`);
    host.put(`${path}/cpuset.cpus.partition`, `${group.partition}\n`);
  }
  for (const task of model.tasks.values()) showTask(host, task);
}

function showTask(host: FakeHost, { pid, name, cgroup, mask, fixed, kernel, startTicks }: Task): void {
  const flags = (fixed === true ? 0x04000000 : 0) + (kernel === true ? 0x00200000 : 0x00400000);
  const stat = `${pid} (${name}) S 1 1 1 0 -1 ${flags} ${'0 '.repeat(12)}${startTicks ?? pid * 10} 0 0\n`;
  for (const path of [`/proc/${pid}`, `/proc/${pid}/task/${pid}`]) {
    host.put(`${path}/stat`, stat);
    host.put(`${path}/comm`, `${name}\n`);
    host.put(
      `${path}/status`,
      `Name:\t${name}\nCpus_allowed_list:\t${formatCpuList(mask)}\nMems_allowed_list:\t0\n`,
    );
    host.put(`${path}/cgroup`, `0::/${cgroup}\n`);
  }
}

/** The CPUs that tasks of a cgroup may use. */
function usable(host: FakeHost, model: Model, name: string): CpuSet {
  const online = listOf(host.peek('/sys/devices/system/cpu/online') ?? '');
  const group = model.groups.get(name);
  if (name === '' || group === undefined) {
    const taken = [...model.groups.values()].filter(isPartition).flatMap(({ cpus }) => cpus);
    return without(online, taken);
  }
  if (hasCpuset(model, name) && isPartition(group)) return intersectionOf(group.cpus, online);
  const parents = usable(host, model, parentOf(name));
  const own = hasCpuset(model, name) ? intersectionOf(group.cpus, parents) : [];
  return own.length > 0 && !sameCpus(own, []) ? own : parents;
}
