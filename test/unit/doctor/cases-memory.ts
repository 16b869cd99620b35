import { CARD } from '../../fake/healthy-machine.ts';
import { setPool } from '../../fake/memory-model.ts';
import {
  asUser,
  boot,
  both,
  type Case,
  check,
  deny,
  drop,
  editXml,
  noCpus,
  noParameters,
  noProcesses,
  put,
  type Scene,
} from './case.ts';

const noPools = drop('/sys/kernel/mm/hugepages');
const THP = '/sys/kernel/mm/transparent_hugepage/enabled';
const PROFILE = '/etc/passqemu/win11.ini';
const CPU = '/sys/devices/system/cpu';
const NODE = '/sys/devices/system/node';
const NO_CPUS = '/sys/devices/system/cpu does not tell';
const pool = ({ host }: Scene): void => setPool(host, 0, 2048, 4096);
const caches = ({ host }: Scene): void => {
  for (let cpu = 0; cpu < 8; cpu++) {
    const folder = `${CPU}/cpu${cpu}/cache/index3`;
    host
      .put(`${folder}/shared_cpu_list`, cpu < 6 ? '0-5\n' : '6-7\n')
      .put(`${folder}/id`, cpu < 6 ? '0\n' : '1\n');
  }
};

/** Memory and CPUs. */
export const MEMORY_CASES: readonly Case[] = [
  check(
    'memory.locked-limit',
    'warn',
    asUser,
    '/etc/security/limits.d/vfio.conf',
    both(asUser, deny('/proc/self/limits')),
    '/proc/self/limits cannot be read',
  ),
  check(
    'memory.fragmentation',
    'warn',
    put('/proc/buddyinfo', 'Node 0, zone   Normal  6000000 1 1 1 1 1 1 1 1 0 0\n'),
    'compact = yes',
    deny('/proc/buddyinfo'),
    '/proc/buddyinfo cannot be read',
  ),
  check(
    'memory.pool-in-use',
    'warn',
    pool,
    'vm.nr_hugepages out of /etc/sysctl.d',
    noPools,
    'hugepages is not there',
  ),
  check(
    'memory.gigabyte-pool',
    'warn',
    put(PROFILE, '[memory]\nhugepages = 1G\n'),
    'hugepagesz=1G hugepages=8',
    noPools,
    'hugepages is not there',
  ),
  check(
    'memory.transparent-and-pool',
    'warn',
    both(pool, put(THP, '[always] madvise never\n')),
    'transparent-hugepages = madvise',
    drop(THP),
    'enabled is not there',
  ),
  check(
    'memory.page-size',
    'fail',
    both(drop('/sys/kernel/mm/hugepages/hugepages-1048576kB'), put(PROFILE, '[memory]\nhugepages = 1G\n')),
    'hugepages = 2M',
    noPools,
    'hugepages is not there',
  ),
  check(
    'memory.same-page-merging',
    'warn',
    put('/sys/kernel/mm/ksm/run', '1\n'),
    'ksm = no',
    drop('/sys/kernel/mm/ksm/run'),
    'run is not there',
  ),
  check(
    'memory.zfs',
    'warn',
    put('/sys/module/zfs/parameters/zfs_arc_max', '0\n'),
    'Write "options zfs zfs_arc_max=4294967296" to /etc/modprobe.d/zfs.conf',
    deny('/proc/meminfo'),
    '/proc/meminfo cannot be read',
  ),
  check(
    'memory.guest-fits',
    'fail',
    editXml("<memory unit='GiB'>8", "<memory unit='GiB'>64"),
    'Give the guest less',
    deny('/proc/meminfo'),
    '/proc/meminfo cannot be read',
  ),
  check(
    'cpus.isolation-words',
    'warn',
    boot('isolcpus=managed_irq,domain,4-7 nohz_full=4-7 rcu_nocbs=4-5'),
    'Name the same CPUs in all three',
    noParameters,
    '/proc/cmdline cannot be read',
  ),
  check(
    'cpus.governor',
    'warn',
    put(`${CPU}/cpufreq/policy4/scaling_governor`, 'ondemand\n'),
    'governor = performance',
    drop(`${CPU}/cpufreq`),
    'show no frequency policies',
  ),
  check(
    'cpus.energy-preference',
    'warn',
    put(`${CPU}/cpufreq/policy4/energy_performance_preference`, 'balance_power\n'),
    'energy = performance',
    drop(`${CPU}/cpufreq`),
    'show no frequency policies',
  ),
  check(
    'cpus.rivals',
    'warn',
    put('/run/irqbalance.pid', '1\n'),
    'IRQBALANCE_BANNED_CPULIST',
    noProcesses,
    '/proc lists no processes',
  ),
  check(
    'cpus.cgroup',
    'warn',
    drop('/sys/fs/cgroup/cgroup.controllers'),
    'systemd.unified_cgroup_hierarchy=1',
    drop('/sys/fs/cgroup'),
    '/sys/fs/cgroup is empty',
  ),
  check(
    'cpus.isolation-pins',
    'warn',
    put(`${CPU}/isolated`, '2-3\n'),
    'Pin the guest to 2-3',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.pins-online',
    'fail',
    editXml("cpuset='7'", "cpuset='9'"),
    'correct <cputune>',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.whole-cores',
    'warn',
    editXml("cpuset='4'", "cpuset='3'"),
    'Give the guest 2-7',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.one-node',
    'warn',
    both(put(`${NODE}/node0/cpulist`, '0-5\n'), put(`${NODE}/node1/cpulist`, '6-7\n')),
    'Take CPUs of one node',
    put(`${NODE}/node0/cpulist`, '\n'),
    'do not tell their NUMA node',
  ),
  check(
    'cpus.device-node',
    'warn',
    put(`${CARD}/numa_node`, '1\n'),
    'passqemu pin --device ADDRESS',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.one-cache',
    'warn',
    caches,
    'Take CPUs of one cache',
    drop(
      `${CPU}/cpu4/cache`,
      `${CPU}/cpu5/cache`,
      `${CPU}/cpu6/cache`,
      `${CPU}/cpu7/cache`,
      ...[0, 1, 2, 3].map((cpu) => `${CPU}/cpu${cpu}/cache`),
    ),
    'do not tell their level 3 cache',
  ),
  check(
    'cpus.one-kind',
    'warn',
    both(put('/sys/devices/cpu_core/cpus', '0-5\n'), put('/sys/devices/cpu_atom/cpus', '6-7\n')),
    'Take performance cores only: 0-5',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.emulator-apart',
    'warn',
    editXml("emulatorpin cpuset='0-1'", "emulatorpin cpuset='4'"),
    '<emulatorpin cpuset="0-3"/>',
    noCpus,
    NO_CPUS,
  ),
  check(
    'cpus.realtime-limit',
    'warn',
    put('/proc/sys/kernel/sched_rt_runtime_us', '-1\n'),
    'sysctl kernel.sched_rt_runtime_us=950000',
    drop('/proc/sys/kernel/sched_rt_runtime_us'),
    'sched_rt_runtime_us is not there',
  ),
];
