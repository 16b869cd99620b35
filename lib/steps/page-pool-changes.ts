import type { Host } from '../host/host.ts';
import { type PagePool, type PageTotals, readPagePool } from '../host/page-pool.ts';
import { HostError } from '../words/errors.ts';
import type { StepOf } from '../words/step.ts';

type Where = Pick<StepOf<'hugepages'>, 'sizeKib' | 'node'>;

/**
 * Asks for so many more lasting pages; gives how many came. The file takes a target, not a difference, so an admin's
 * write between our read and ours would be lost: the two stand as near to each other as they can.
 */
export function growPool(host: Host, pool: PagePool, by: number, where: Where): number {
  try {
    host.write(`${pool.folder}/nr_hugepages`, `${pool.pages + by}\n`);
  } catch (error) {
    // A kernel that cannot make pages of this size at run time says so: the same as none
    if (!(error instanceof HostError) || (error.code !== 'EINVAL' && error.code !== 'ENOMEM')) throw error;
    return 0;
  }
  return Math.max(0, (readPagePool(host, where.sizeKib, where.node)?.pages ?? 0) - pool.pages);
}

/** Takes so many lasting pages out of the pool; gives how many went. */
export function shrinkPool(host: Host, where: Where, by: number): number {
  const before = readPagePool(host, where.sizeKib, where.node);
  if (before === null || by <= 0) return 0;
  host.write(`${before.folder}/nr_hugepages`, `${Math.max(0, before.pages - by)}\n`);
  return Math.max(0, before.pages - (readPagePool(host, where.sizeKib, where.node)?.pages ?? 0));
}

/**
 * How many lasting pages may go so that what is in use stays whole and what others were promised stays free: on the node,
 * and over all nodes (the kernel keeps reservations for the whole machine). The kernel takes free pages first, so
 * pages that were surplus before us, and are in use, become surplus again only when none is free.
 */
export function givablePages(
  pool: PagePool,
  surplusBefore: number,
  kept: { readonly here: number; readonly everywhere: number; readonly totals: PageTotals },
): number {
  const { here, everywhere, totals } = kept;
  if (pool.free === 0) return Math.min(pool.pages, Math.max(0, surplusBefore - pool.surplus));
  return Math.max(0, Math.min(pool.free - here, totals.free - totals.reserved - everywhere));
}

/**
 * Helps the kernel find memory in one piece: drops caches the first time, where the profile allows it, and compacts the
 * node. Both files are write-only and do their work before the write returns (Documentation/admin-guide/sysctl/vm.rst).
 */
export function relieveMemory(host: Host, step: StepOf<'hugepages'>, isFirst: boolean): void {
  if (step.dropCaches && isFirst) writeWhereThere(host, '/proc/sys/vm/drop_caches', '3\n');
  if (!step.compact) return;
  const node = `/sys/devices/system/node/node${step.node}/compact`;
  // 6.12 takes nothing but 1
  writeWhereThere(host, host.exists(node) ? node : '/proc/sys/vm/compact_memory', '1\n');
}

/** A kernel without compaction has no such file; one that refuses is no reason to stop asking for pages. */
function writeWhereThere(host: Host, path: string, text: string): void {
  if (!host.exists(path)) return;
  try {
    host.write(path, text);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    host.log('warning', error.message);
  }
}
