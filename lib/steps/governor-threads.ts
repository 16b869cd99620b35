import { GOVERNOR_FILE, listPolicies, policyPath, readPolicy } from '../host/cpufreq.ts';
import type { Host } from '../host/host.ts';
import { parseAllowedList } from '../host/tasks.ts';
import { type CpuSet, without } from '../words/cpu-list.ts';

/** The governor that works in kernel threads of its own, "sugov:4" for the policy whose first CPU is 4. */
const THREADED = 'schedutil';
/** Governors to go through for a moment: the first ones hardly anybody sets, so that they can be told from a setting. */
const BETWEEN: readonly string[] = ['userspace', 'conservative', 'ondemand', 'powersave', 'performance'];
const THREAD = /^sugov:(\d{1,5})$/;

/** The policies whose governor's thread runs on their CPUs only, as most drivers need it (kernel/sched/cpufreq_schedutil.c). */
export function readBoundPolicies(host: Host): string[] {
  const policies = listPolicies(host).filter(
    (name) => host.readOptional(`${policyPath(name)}/${GOVERNOR_FILE}`) === THREADED,
  );
  if (policies.length === 0) return [];
  const threads = readThreads(host);
  return policies.filter((name) => isBound(host, name, threads));
}

/**
 * Nobody can pin such a thread (PF_NO_SETAFFINITY), yet kernels before 6.2 unbind it when a partition takes CPUs from the
 * root: setting the governor anew brings a new thread, bound as it should be. `held`: policies that are a guest's now.
 */
export function renewGovernors(host: Host, policies: readonly string[], held: ReadonlySet<string>): void {
  if (policies.length === 0) return;
  const threads = readThreads(host);
  for (const name of policies) {
    const { governor, governors } = readPolicy(host, name);
    const between = BETWEEN.find((one) => governors.includes(one));
    if (between === undefined || held.has(name)) continue;
    const path = `${policyPath(name)}/${GOVERNOR_FILE}`;
    if (governor === THREADED && !isBound(host, name, threads)) host.write(path, between);
    // Found there, it is what an undo that was cut short has left
    else if (governor !== between) continue;
    host.write(path, THREADED);
  }
}

function isBound(host: Host, policy: string, threads: ReadonlyMap<string, CpuSet>): boolean {
  const { cpus } = readPolicy(host, policy);
  const mask = threads.get(`policy${cpus[0]}`) ?? threads.get(policy);
  return mask !== undefined && without(mask, cpus).length === 0;
}

/** Where the governors' threads may run, by the policy that the thread is named after. */
function readThreads(host: Host): Map<string, CpuSet> {
  const threads = new Map<string, CpuSet>();
  for (const process of host.list('/proc')) {
    const cpu = /^\d+$/.test(process)
      ? THREAD.exec(host.readOptional(`/proc/${process}/comm`) ?? '')?.[1]
      : undefined;
    if (cpu === undefined) continue;
    const mask = parseAllowedList(host.readOptional(`/proc/${process}/status`) ?? '');
    if (mask !== null) threads.set(`policy${cpu}`, mask);
  }
  return threads;
}
