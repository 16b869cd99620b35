import { type CpuSet, parseCpuList } from '../../lib/words/cpu-list.ts';
import { HostError } from '../../lib/words/errors.ts';
import { renewKernelThread } from './cgroup-model.ts';
import type { FakeHost } from './fake-host.ts';

export { addCgroups, addTasks, type FakeTask, forgetCgroups, taskCpus } from './cgroup-model.ts';
export { addIrqs, type FakeIrq } from './irq-model.ts';
export { addSystemd } from './systemd-model.ts';

const CPUS = '/sys/devices/system/cpu';

/** The CPUs of a machine as kernel lists. */
export interface FakeCpus {
  readonly online: string;
  readonly present?: string;
  readonly possible?: string;
  readonly isolated?: string;
  readonly nohzFull?: string;
  /** What /proc/sys/kernel/osrelease says; 6.1 forgets affinities, 6.12 keeps them. */
  readonly release?: string;
}

/** Puts CPUs and the kernel's lists of them, without topology. */
export function addCpus(host: FakeHost, cpus: FakeCpus): void {
  const present = cpus.present ?? cpus.online;
  host.put(`${CPUS}/online`, `${cpus.online}\n`);
  host.put(`${CPUS}/present`, `${present}\n`);
  host.put(`${CPUS}/possible`, `${cpus.possible ?? present}\n`);
  host.put(`${CPUS}/isolated`, `${cpus.isolated ?? ''}\n`);
  host.put(`${CPUS}/nohz_full`, `${cpus.nohzFull ?? '(null)'}\n`);
  host.put('/proc/sys/kernel/osrelease', `${cpus.release ?? '6.12.95-amd64'}\n`);
  for (const cpu of listOf(present)) host.putFolder(`${CPUS}/cpu${cpu}`);
}

/** One cpufreq policy; with `energy` it behaves as intel_pstate and amd-pstate do in active mode. */
export interface FakePolicy {
  readonly cpus: string;
  readonly driver?: string;
  readonly governor?: string;
  readonly governors?: string;
  readonly energy?: string;
  readonly energies?: string;
}

/** Machines on which the governor schedutil works in kernel threads. */
const threaded = new WeakSet<FakeHost['tree']>();

/**
 * Puts cpufreq policies. Writes: an unknown governor is EINVAL; under `performance` another energy preference is EBUSY. With
 * `threads` (addCgroups() comes first) schedutil has its threads.
 */
export function addPolicies(host: FakeHost, policies: readonly FakePolicy[], threads = false): void {
  if (threads) threaded.add(host.tree);
  for (const policy of policies) {
    const cpus = listOf(policy.cpus);
    const name = `policy${cpus[0]}`;
    const path = `${CPUS}/cpufreq/${name}`;
    host.put(`${path}/affected_cpus`, `${cpus.join(' ')}\n`);
    host.put(`${path}/scaling_driver`, `${policy.driver ?? 'acpi-cpufreq'}\n`);
    host.put(`${path}/scaling_governor`, `${policy.governor ?? 'schedutil'}\n`);
    host.put(`${path}/scaling_available_governors`, `${policy.governors ?? 'performance schedutil '}\n`);
    if (policy.energy !== undefined) {
      host.put(`${path}/energy_performance_preference`, `${policy.energy}\n`);
      const energies = policy.energies ?? 'default performance balance_performance balance_power power';
      host.put(`${path}/energy_performance_available_preferences`, `${energies}\n`);
    }
    for (const cpu of cpus) host.putLink(`${CPUS}/cpu${cpu}/cpufreq`, `../cpufreq/${name}`);
    if (threads && host.peek(`${path}/scaling_governor`) === 'schedutil\n') bindThread(host, path, true);
  }
  host.onWrite(/\/cpufreq\/policy\d+\/scaling_governor$/, writeGovernor);
  host.onWrite(/\/cpufreq\/policy\d+\/energy_performance_preference$/, writeEnergy);
}

/** Puts the unbound workqueues' mask; `requested` as kernels from 6.8 on have it. */
export function addWorkqueues(host: FakeHost, mask: string, requested = true): void {
  const path = '/sys/devices/virtual/workqueue/cpumask';
  host.put(path, `${mask}\n`);
  if (requested) host.put(`${path}_requested`, `${mask}\n`);
  host.onWrite(path, (_path, text) => {
    if (!/^[0-9a-f,]+$/.test(text.trim()) || /^[0,]+$/.test(text.trim())) throw refusal(path, 'EINVAL');
    host.put(path, `${text.trim()}\n`);
    if (requested) host.put(`${path}_requested`, `${text.trim()}\n`);
  });
}

/** The thread of a policy's governor: its number is that of the first CPU, from 301 on. */
function bindThread(host: FakeHost, folder: string, alive: boolean): void {
  const cpus = (host.peek(`${folder}/affected_cpus`) ?? '').trim().replaceAll(' ', ',');
  const first = listOf(cpus)[0] ?? 0;
  renewKernelThread(host, 301 + first, `sugov:${first}`, alive ? cpus : null);
}

function writeGovernor(path: string, text: string, host: FakeHost): void {
  const governor = text.trim();
  const folder = path.slice(0, path.lastIndexOf('/'));
  const available = host.peek(`${folder}/scaling_available_governors`) ?? '';
  if (!available.split(/\s+/).includes(governor)) throw refusal(path, 'EINVAL');
  if (threaded.has(host.tree) && governor !== host.peek(path)?.trim())
    bindThread(host, folder, governor === 'schedutil');
  host.put(path, `${governor}\n`);
  const energy = `${folder}/energy_performance_preference`;
  if (governor === 'performance' && host.peek(energy) !== null) host.put(energy, 'performance\n');
}

function writeEnergy(path: string, text: string, host: FakeHost): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const energy = text.trim();
  const governor = host.peek(`${folder}/scaling_governor`)?.trim();
  if (governor === 'performance' && energy !== 'performance') throw refusal(path, 'EBUSY');
  const available = host.peek(`${folder}/energy_performance_available_preferences`) ?? '';
  if (!available.split(/\s+/).includes(energy)) throw refusal(path, 'EINVAL');
  // "default" is a value of the firmware, which reads by its own name
  host.put(path, `${energy === 'default' ? 'balance_performance' : energy}\n`);
}

/** What the kernel answers to a write that it refuses. */
export function refusal(path: string, code: string): HostError {
  return new HostError(`Cannot write ${path}: ${code}`, { code, path });
}

/** A list that a test writes down. */
export function listOf(text: string): CpuSet {
  const cpus = parseCpuList(text);
  if (cpus === null) throw new Error(`${text} is no CPU list`);
  return cpus;
}
