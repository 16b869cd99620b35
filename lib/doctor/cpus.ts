import { valuesOf } from '../host/kernel-parameters.ts';
import {
  type CpuSet,
  formatCpuList,
  intersectionOf,
  parseCpuList,
  sameCpus,
  unionOf,
} from '../words/cpu-list.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { PINNED_CPU_CHECKS } from './guest-cpus.ts';
import { pinsOf } from './pinned.ts';
import { addKernelArguments, removeKernelArgument } from './remedies.ts';

/** How the host’s CPUs are set up. */
export const CPU_CHECKS: readonly Check[] = [
  {
    id: 'cpus.isolation-words',
    title: 'isolcpus, nohz_full and rcu_nocbs agree',
    meaning:
      'Each of the three alone does half of the work: the scheduler keeps off, the tick still comes; or the tick stops where others run.',
    judge: ({ parameters }) =>
      withSeen(parameters, (words) => {
        const sets = ['isolcpus', 'nohz_full', 'rcu_nocbs'].flatMap((name) => {
          const value = valuesOf(words, name).at(-1);
          return value === undefined ? [] : [[name, cpusOf(value)] as const];
        });
        if (sets.length === 0) return ok('No CPUs are set apart on the kernel’s command line');
        const bad = sets.filter(([, cpus]) => cpus === null).map(([name]) => name);
        if (bad.length > 0)
          return fail(
            `The kernel cannot read the CPUs of ${bad.join(', ')}`,
            'Write a list such as 2-5,10-13',
          );
        const [first] = sets;
        return sets.every(([, cpus]) => sameCpus(cpus!, first![1]!))
          ? ok(`${sets.map(([name]) => name).join(', ')} name ${formatCpuList(first![1]!)}`)
          : warn(
              sets.map(([name, cpus]) => `${name} names ${formatCpuList(cpus!) || 'none'}`).join(', '),
              'Name the same CPUs in all three, or in none and let passqemu keep the host off them while the guest runs (isolate = yes)',
            );
      }),
  },
  {
    id: 'cpus.governor',
    title: 'Frequency governor',
    meaning:
      'A guest’s load comes in bursts that ondemand, conservative and schedutil are late to see; powersave without a driver of its own stays at the lowest frequency.',
    judge: (checkup) => {
      const { policies, topology, guest } = checkup;
      if (policies.length === 0)
        return topology.threads === 0
          ? unknown('/sys/devices/system/cpu does not tell which CPUs there are')
          : unknown('the CPUs show no frequency policies (a guest, or firmware does it alone)');
      if (guest?.profile?.cpu.governor != null) return ok(`The profile sets ${guest.profile.cpu.governor}`);
      const pins = pinsOf(checkup);
      const slow = policies.filter(
        ({ governor, driver, cpus }) =>
          (pins.length === 0 || intersectionOf(cpus, pins).length > 0) &&
          (['ondemand', 'conservative'].includes(governor ?? '') ||
            (governor === 'powersave' &&
              !/^(?:intel_pstate|amd-pstate-epp|amd_pstate_epp)$/.test(driver ?? ''))),
      );
      return slow.length === 0
        ? ok(`Governor: ${[...new Set(policies.map(({ governor }) => governor ?? 'not told'))].join(', ')}`)
        : warn(
            `${formatCpuList(unionOf(...slow.map(({ cpus }) => cpus)))} ${slow.length === 1 ? 'is' : 'are'} on ${[...new Set(slow.map(({ governor }) => governor))].join(', ')}`,
            'Write governor = performance under [cpu] of the profile: it holds while the guest runs',
          );
    },
  },
  {
    id: 'cpus.energy-preference',
    title: 'Energy preference',
    meaning:
      'With the drivers of Intel and AMD the preference decides how fast a CPU speeds up, whatever the governor’s name.',
    judge: ({ policies, guest }) => {
      if (policies.length === 0)
        return unknown('the CPUs show no frequency policies (a guest, or firmware does it alone)');
      if (guest?.profile?.cpu.energy != null || guest?.profile?.cpu.governor === 'performance')
        return ok('The profile sets it');
      const slow = policies.filter(({ energy }) => ['power', 'balance_power'].includes(energy ?? ''));
      return slow.length === 0
        ? ok('No CPU is told to save energy')
        : warn(
            `CPUs ${formatCpuList(unionOf(...slow.map(({ cpus }) => cpus)))} are told to save energy (${slow[0]!.energy})`,
            'Write energy = performance under [cpu] of the profile',
          );
    },
  },
  {
    id: 'cpus.rivals',
    title: 'Services that change CPU settings',
    meaning:
      'These services set interrupts and governors by their own rules while a guest runs, and undo what the profile asks for.',
    judge: ({ cpuRivals, processes }) => {
      if (processes.length === 0) return unknown('/proc lists no processes');
      return cpuRivals.length === 0
        ? ok('No such service runs')
        : warn(
            `${cpuRivals.join(', ')} ${cpuRivals.length === 1 ? 'runs' : 'run'}`,
            cpuRivals.includes('irqbalance')
              ? 'Name the guest’s CPUs in IRQBALANCE_BANNED_CPULIST (/etc/default/irqbalance or /etc/sysconfig/irqbalance) and restart irqbalance; choose a performance profile in the others'
              : 'Choose a performance profile in it (tuned-adm profile, powerprofilesctl set performance), or stop it while the guest runs',
          );
    },
  },
  {
    id: 'cpus.cgroup',
    title: 'cgroups that can keep the host off CPUs',
    meaning: 'passqemu narrows the host’s slices (cgroup v2, controller cpuset) while a guest runs.',
    judge: (checkup) => {
      const { cgroupMode, hasCpuset } = checkup;
      if (cgroupMode === 'none') return unknown('/sys/fs/cgroup is empty');
      if (cgroupMode !== 'v2')
        return warn(
          `cgroups are of version 1 (${cgroupMode})`,
          addKernelArguments(checkup, 'systemd.unified_cgroup_hierarchy=1'),
        );
      return hasCpuset
        ? ok('cgroup v2 has the controller cpuset')
        : warn('cgroup v2 has no controller cpuset', removeKernelArgument(checkup, 'cgroup_disable=cpuset'));
    },
  },
  {
    id: 'cpus.realtime-limit',
    title: 'Limit of real-time tasks',
    meaning:
      'Without a limit (sched_rt_runtime_us = -1) a vCPU with real-time priority that never sleeps takes its CPU from the kernel’s own threads, and the host hangs.',
    judge: ({ rtRuntimeUs }) => {
      if (rtRuntimeUs === null) return unknown('/proc/sys/kernel/sched_rt_runtime_us is not there');
      return rtRuntimeUs === '-1'
        ? warn(
            'Real-time tasks may take a CPU for ever',
            'sysctl kernel.sched_rt_runtime_us=950000, and take it out of /etc/sysctl.d; a guest’s profile can set it for the time (rt-runtime-us under [knobs])',
          )
        : ok(`Real-time tasks may take ${rtRuntimeUs} µs of each second`);
    },
  },
  ...PINNED_CPU_CHECKS,
];

/** The list behind the flags of isolcpus ("managed_irq,domain,2-5"); null where there is none. */
function cpusOf(value: string): CpuSet | null {
  return parseCpuList(
    value
      .split(',')
      .filter((word) => !/^(?:nohz|domain|managed_irq)$/.test(word))
      .join(','),
  );
}
