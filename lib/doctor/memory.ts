import { formatKib, formatRoughly } from '../words/size.ts';
import { type Check, fail, ok, unknown, warn, withSeen } from './check.ts';
import { setAtBoot } from './remedies.ts';

const GIB = 1 << 20;
const PAGE_2M = 2048;

/** Memory for guests: how it can be had in large pages, and what else is done to it. */
export const MEMORY_CHECKS: readonly Check[] = [
  {
    id: 'memory.locked-limit',
    title: 'Memory that may be locked',
    meaning:
      'All memory of a guest with a passed device is locked; where the limit is smaller the start fails (VFIO_MAP_DMA: Cannot allocate memory). libvirt and root raise it themselves.',
    judge: ({ memoryHealth, isRoot, guest }) =>
      withSeen(memoryHealth.memlockKib, (limit) => {
        if (isRoot) return ok('root may lock as much as it wants');
        const need = (guest?.domain?.memoryKib ?? 4 * GIB) + GIB;
        return limit === null || limit >= need
          ? ok(limit === null ? 'There is no limit' : `This user may lock ${formatRoughly(limit)}`)
          : warn(
              `This user may lock ${formatRoughly(limit)}, a guest with a device needs all of its memory and 1 GiB`,
              'Only for guests that this user runs without libvirt: write "@kvm - memlock unlimited" to /etc/security/limits.d/vfio.conf and log in anew (in a unit: LimitMEMLOCK=infinity)',
            );
      }),
  },
  {
    id: 'memory.fragmentation',
    title: 'Free memory in large pieces',
    meaning:
      'Pages of 2 MiB can be had at run time only from free pieces of that size; the longer a host runs, the fewer there are.',
    judge: ({ memoryHealth }) =>
      withSeen(memoryHealth.freeIn2MibKib, (large) => {
        const { freeKib } = memoryHealth;
        if (freeKib === 0) return unknown('/proc/meminfo has no MemFree');
        const share = Math.round((large / freeKib) * 100);
        const facts = `Of ${formatRoughly(freeKib)} free, ${formatRoughly(large)} lie in pieces of 2 MiB and more (${share} %).`;
        return share >= 50 || freeKib < GIB
          ? ok('Free memory is not torn into small pieces', facts)
          : warn(
              'Most free memory is in pieces smaller than 2 MiB',
              'passqemu compacts it before a start (compact = yes under [memory]); where that is not enough reserve pages at boot: hugepages=N on the kernel’s command line',
              facts,
            );
      }),
  },
  {
    id: 'memory.pool-in-use',
    title: 'Pages reserved for nobody',
    meaning: 'Memory in a page pool is lost to everything but guests that ask for such pages.',
    judge: ({ memory, guest }) => {
      if (memory.totals.size === 0) return unknown('/sys/kernel/mm/hugepages is not there');
      const idle = [...memory.totals].filter(
        ([sizeKib, { free, reserved }]) => (free - reserved) * sizeKib >= 2 * GIB,
      );
      if (idle.length === 0 || guest?.domain?.hugepages != null) return ok('No page pool lies idle');
      return warn(
        idle
          .map(
            ([sizeKib, { free, reserved }]) =>
              `${formatRoughly((free - reserved) * sizeKib)} lie idle in the pool of ${formatKib(sizeKib)} pages`,
          )
          .join(', '),
        'If no guest uses them: take hugepages= off the kernel’s command line (vm.nr_hugepages out of /etc/sysctl.d); passqemu takes pages of 2 MiB when a guest starts',
      );
    },
  },
  {
    id: 'memory.gigabyte-pool',
    title: 'Pages of 1 GiB',
    meaning:
      'Pages of 1 GiB can hardly be had once the host has run for a while: they must be reserved at boot.',
    judge: ({ memory, guest }) => {
      if (memory.totals.size === 0) return unknown('/sys/kernel/mm/hugepages is not there');
      const wanted =
        guest?.profile?.memory.hugepageKib === GIB ||
        guest?.domain?.hugepages?.some(({ sizeKib }) => sizeKib === GIB) === true;
      const pool = memory.totals.get(GIB);
      if (!wanted) return ok('No guest asked about wants pages of 1 GiB');
      if (pool === undefined)
        return fail(
          'The guest wants pages of 1 GiB, which this processor or kernel does not have',
          'Write hugepages = 2M in the profile',
        );
      const pages = Math.ceil((guest?.domain?.memoryKib ?? GIB) / GIB);
      return pool.free - pool.reserved >= pages
        ? ok(`${pool.free - pool.reserved} pages of 1 GiB are free`)
        : warn(
            `The guest wants ${pages} pages of 1 GiB, ${pool.free - pool.reserved} are free`,
            `Reserve them at boot: hugepagesz=1G hugepages=${pages} on the kernel’s command line; or write hugepages = 2M in the profile`,
          );
    },
  },
  {
    id: 'memory.transparent-and-pool',
    title: 'Transparent huge pages beside a page pool',
    meaning:
      'With pages from a pool the guest gains nothing from transparent ones, while the kernel’s search for them (khugepaged) causes short stalls.',
    judge: ({ memoryHealth, memory, guest }) => {
      const { transparentHugepages: thp } = memoryHealth;
      if (thp === null) return unknown('/sys/kernel/mm/transparent_hugepage/enabled is not there');
      const pool =
        guest?.domain?.hugepages != null ||
        (guest?.profile?.memory.hugepageKib ?? 0) > 0 ||
        [...memory.totals.values()].some(({ free }) => free > 0);
      return pool && thp === 'always'
        ? warn(
            'Transparent huge pages are always on, and there is a page pool as well',
            'Write transparent-hugepages = madvise under [knobs] of the profile, or transparent_hugepage=madvise on the kernel’s command line',
          )
        : ok(`Transparent huge pages: ${thp}`);
    },
  },
  {
    id: 'memory.page-size',
    title: 'Pages that the guest asks for',
    meaning: 'A guest starts only with a page size that the kernel has on this processor.',
    judge: ({ memory, guest }) => {
      if (memory.totals.size === 0) return unknown('/sys/kernel/mm/hugepages is not there');
      const asked = [
        guest?.profile?.memory.hugepageKib ?? null,
        ...(guest?.domain?.hugepages ?? []).map(({ sizeKib }) => sizeKib),
      ].filter((size): size is number => size !== null && size > 0);
      const odd = asked.filter((size) => !memory.totals.has(size));
      return odd.length === 0
        ? ok(
            asked.length === 0
              ? `The kernel has pages of ${[...memory.totals.keys()].map(formatKib).join(', ')}`
              : 'The kernel has the pages that the guest asks for',
          )
        : fail(
            `The guest asks for pages of ${odd.map(formatKib).join(', ')}, the kernel has ${[...memory.totals.keys()].map(formatKib).join(', ')}`,
            `Ask for ${formatKib(memory.totals.has(PAGE_2M) ? PAGE_2M : [...memory.totals.keys()][0]!)} (hugepages = 2M in the profile, <page size="2" unit="M"/> in the XML)`,
          );
    },
  },
  {
    id: 'memory.same-page-merging',
    title: 'Merging of equal pages (KSM)',
    meaning:
      'KSM costs processor time and lets one guest learn what another has in memory; the locked pages of guests with devices are hardly merged.',
    judge: ({ memoryHealth }) => {
      if (memoryHealth.ksm === null) return unknown('/sys/kernel/mm/ksm/run is not there');
      return memoryHealth.ksm === '1'
        ? warn(
            'KSM is on',
            'Write ksm = no under [knobs] of the profile, or stop it: systemctl disable --now ksmtuned ksm (as far as they are there), echo 2 > /sys/kernel/mm/ksm/run',
          )
        : ok('KSM is off');
    },
  },
  {
    id: 'memory.zfs',
    title: 'ZFS and memory for guests',
    meaning:
      'The cache of ZFS takes half of the memory and gives it back slowly, and compacting memory under it has hung hosts (openzfs 15140).',
    judge: ({ memoryHealth, memory, ...checkup }) =>
      withSeen(memoryHealth.totalKib, (totalKib) => {
        if (!memory.zfs) return ok('ZFS is not loaded');
        const limit = memoryHealth.zfsCacheLimit ?? 0;
        return limit > 0 && limit / 1024 < totalKib / 2
          ? ok(`ZFS is loaded, its cache limited to ${formatKib(Math.round(limit / 1024))}`)
          : warn(
              'ZFS is loaded and its cache has no limit of yours',
              `${setAtBoot(checkup, 'zfs', `zfs_arc_max=${Math.max(1, Math.round(totalKib / 8 / GIB)) * GIB * 1024}`)} (an eighth of the memory), make the initramfs anew; passqemu does not compact memory while ZFS is loaded`,
            );
      }),
  },
  {
    id: 'memory.guest-fits',
    title: 'The guest’s memory fits',
    meaning:
      'A guest with a passed device has all of its memory locked from the start: it must be there, and the host needs some.',
    judge: ({ memoryHealth, guest }) =>
      withSeen(memoryHealth.totalKib, (totalKib) => {
        const want = guest?.domain?.memoryKib ?? null;
        if (want === null) return ok('No guest was asked about, or it does not say how much it wants');
        if (want >= totalKib)
          return fail(
            `The guest wants ${formatRoughly(want)}, the host has ${formatRoughly(totalKib)}`,
            'Give the guest less (<memory>)',
          );
        return totalKib - want < GIB
          ? warn(
              `The guest leaves the host ${formatRoughly(totalKib - want)} of ${formatRoughly(totalKib)}`,
              'Leave the host 2 GiB at least (4 GiB with a desktop)',
            )
          : ok(`The guest wants ${formatRoughly(want)} of ${formatRoughly(totalKib)}`);
      }),
  },
];
