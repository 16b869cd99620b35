import type { Host } from './host.ts';

const ALL_POOLS = '/sys/kernel/mm/hugepages';
const NODES = '/sys/devices/system/node';

/**
 * One node's pool of huge pages of one size, in pages. See Documentation/admin-guide/mm/hugetlbpage.rst.
 * `nr_hugepages` shows all pages but sets only the lasting ones: surplus pages leave the pool when they are freed.
 */
export interface PagePool {
  readonly folder: string;
  /** The lasting pages: what a write to nr_hugepages sets. */
  readonly pages: number;
  readonly surplus: number;
  /** Pages that nobody has mapped; some of them may be reserved. */
  readonly free: number;
  /** Pages that a process has. */
  readonly used: number;
}

/** Free and reserved pages of one size on all nodes: the kernel keeps reservations for the whole machine only. */
export interface PageTotals {
  readonly free: number;
  readonly reserved: number;
}

/** One node's pool; on a kernel without NUMA folders node 0 is the whole machine. Null where there is no such node or size. */
export function readPagePool(host: Host, sizeKib: number, node: number): PagePool | null {
  const size = `hugepages-${sizeKib}kB`;
  const numa = `${NODES}/node${node}/hugepages/${size}`;
  return (
    readFolder(host, numa) ??
    (node === 0 && !host.exists(NODES) ? readFolder(host, `${ALL_POOLS}/${size}`) : null)
  );
}

/** The totals of one page size; zeros where the kernel has no such size. */
export function readPageTotals(host: Host, sizeKib: number): PageTotals {
  const folder = `${ALL_POOLS}/hugepages-${sizeKib}kB`;
  return {
    free: readCount(host, `${folder}/free_hugepages`) ?? 0,
    reserved: readCount(host, `${folder}/resv_hugepages`) ?? 0,
  };
}

/** The page sizes that this kernel has on this processor, in KiB, ascending (1 GiB needs pdpe1gb on x86). */
export function readPageSizes(host: Host): number[] {
  return host
    .list(ALL_POOLS)
    .map((name) => Number(/^hugepages-(\d{1,9})kB$/.exec(name)?.[1] ?? 0))
    .filter((sizeKib) => sizeKib > 0)
    .sort((a, b) => a - b);
}

function readFolder(host: Host, folder: string): PagePool | null {
  const total = readCount(host, `${folder}/nr_hugepages`);
  if (total === null) return null;
  const free = readCount(host, `${folder}/free_hugepages`) ?? 0;
  const surplus = readCount(host, `${folder}/surplus_hugepages`) ?? 0;
  return { folder, pages: total - surplus, surplus, free, used: total - free };
}

function readCount(host: Host, path: string): number | null {
  const text = host.readOptional(path);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
