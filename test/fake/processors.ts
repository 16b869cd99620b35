import { formatCpuList } from '../../lib/words/cpu-list.ts';
import { addCpus } from './cpu-model.ts';
import type { FakeHost } from './fake-host.ts';

/** Puts so many CPUs with what the kernel tells of them: two threads a core, eight CPUs an L3 cache, 64 a package and a node. */
export function putCpus(host: FakeHost, count: number): void {
  addCpus(host, { online: `0-${count - 1}` });
  const list = (first: number, size: number) =>
    formatCpuList(Array.from({ length: Math.min(size, count - first) }, (_, at) => first + at));
  for (let cpu = 0; cpu < count; cpu++) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}`;
    const node = cpu >> 6;
    host
      .put(`${folder}/topology/physical_package_id`, `${node}\n`)
      .put(`${folder}/topology/die_id`, '0\n')
      .put(`${folder}/topology/core_id`, `${cpu >> 1}\n`)
      .put(`${folder}/topology/core_cpus_list`, `${list(cpu & ~1, 2)}\n`)
      .put(`${folder}/cache/index3/level`, '3\n')
      .put(`${folder}/cache/index3/type`, 'Unified\n')
      .put(`${folder}/cache/index3/size`, '16384K\n')
      .put(`${folder}/cache/index3/shared_cpu_list`, `${list(cpu & ~7, 8)}\n`);
    const place = `/sys/devices/system/node/node${node}`;
    if ((cpu & 63) === 0)
      host
        .put(`${place}/cpulist`, `${list(cpu, 64)}\n`)
        .put(
          `${place}/distance`,
          `${Array.from({ length: Math.ceil(count / 64) }, (_, at) => (at === node ? 10 : 20)).join(' ')}\n`,
        )
        .put(`${place}/meminfo`, `Node ${node} MemTotal: 2048 kB\n`);
  }
}
