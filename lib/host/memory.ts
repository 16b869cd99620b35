import { type CpuSet, parseCpuList, parseCpuMask } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { type PagePool, type PageTotals, readPagePool, readPageSizes, readPageTotals } from './page-pool.ts';

/** One NUMA node as far as huge pages are concerned. */
export interface MemoryNode {
  readonly id: number;
  /** Empty for a node that is only memory (CXL, the memory of a GPU). */
  readonly cpus: CpuSet;
  readonly totalKib: number;
  readonly freeKib: number;
  /** File caches and slabs that the kernel may give up. */
  readonly reclaimableKib: number;
  /** By page size in KiB. */
  readonly pools: ReadonlyMap<number, PagePool>;
}

/** The host's memory, node by node; node numbers may have gaps. */
export interface MemoryPicture {
  readonly nodes: readonly MemoryNode[];
  /** By page size in KiB, ascending: the sizes that this kernel has on this processor. */
  readonly totals: ReadonlyMap<number, PageTotals>;
  /** What <hugepages/> without a size means. */
  readonly defaultSizeKib: number | null;
  /** Whether OpenZFS is loaded: it has hung kernels that compact memory (openzfs 15140). */
  readonly zfs: boolean;
}

const NODES = '/sys/devices/system/node';

/** Reads the memory of every node from /sys/devices/system/node, or /proc/meminfo where the kernel knows no nodes. */
export function readMemoryPicture(host: Host): MemoryPicture {
  const meminfo = parseMeminfo(host.readOptional('/proc/meminfo') ?? '');
  const sizes = readPageSizes(host);
  const ids = host
    .list(NODES)
    .filter((name) => /^node\d{1,5}$/.test(name))
    .map((name) => Number(name.slice('node'.length)))
    .sort((a, b) => a - b);
  const nodes =
    ids.length > 0
      ? ids.map((id) => readNode(host, id, sizes))
      : [describeNode(0, readOnlineCpus(host), meminfo, readPools(host, 0, sizes))];
  return {
    nodes,
    totals: new Map(sizes.map((sizeKib) => [sizeKib, readPageTotals(host, sizeKib)])),
    defaultSizeKib: meminfo.get('Hugepagesize') ?? null,
    zfs: host.exists('/sys/module/zfs'),
  };
}

/** Reads "MemTotal:  8 kB" lines, those of one node ("Node 0 MemTotal: …") too, in KiB by name; counts without a unit are left out. */
export function parseMeminfo(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const match of text.matchAll(/^(?:Node \d+ )?([\w()]+):\s+(\d{1,15}) kB$/gm)) {
    values.set(match[1]!, Number(match[2]));
  }
  return values;
}

function readNode(host: Host, id: number, sizes: readonly number[]): MemoryNode {
  const meminfo = parseMeminfo(host.readOptional(`${NODES}/node${id}/meminfo`) ?? '');
  const list = host.readOptional(`${NODES}/node${id}/cpulist`);
  const mask = list === null ? host.readOptional(`${NODES}/node${id}/cpumap`) : null;
  const cpus = parseCpuList(list ?? '') ?? [];
  return describeNode(
    id,
    mask === null ? cpus : (parseCpuMask(mask) ?? []),
    meminfo,
    readPools(host, id, sizes),
  );
}

function readOnlineCpus(host: Host): CpuSet {
  return parseCpuList(host.readOptional('/sys/devices/system/cpu/online') ?? '') ?? [];
}

function readPools(host: Host, node: number, sizes: readonly number[]): Map<number, PagePool> {
  const pools = new Map<number, PagePool>();
  for (const sizeKib of sizes) {
    const pool = readPagePool(host, sizeKib, node);
    if (pool !== null) pools.set(sizeKib, pool);
  }
  return pools;
}

function describeNode(
  id: number,
  cpus: CpuSet,
  meminfo: Map<string, number>,
  pools: Map<number, PagePool>,
): MemoryNode {
  const kib = (...names: string[]) => names.reduce((sum, name) => sum + (meminfo.get(name) ?? 0), 0);
  return {
    id,
    cpus,
    totalKib: kib('MemTotal'),
    freeKib: kib('MemFree'),
    reclaimableKib: kib('Active(file)', 'Inactive(file)', 'SReclaimable'),
    pools,
  };
}
