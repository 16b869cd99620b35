import { type CpuSet, parseCpuMask } from '../words/cpu-list.ts';
import type { Host } from './host.ts';

/** Where the unbound workqueues may run, for writing. See Documentation/core-api/workqueue.rst, "Affinity Scopes". */
export const WORKQUEUE_MASK = '/sys/devices/virtual/workqueue/cpumask';

/**
 * Reads what was asked for: since 6.8 the kernel itself takes CPUs of isolated partitions off `cpumask`, and keeps what
 * was written in `cpumask_requested`. Null where the kernel has neither.
 */
export function readWorkqueueMask(host: Host): CpuSet | null {
  const text = host.readOptional(`${WORKQUEUE_MASK}_requested`) ?? host.readOptional(WORKQUEUE_MASK);
  return text === null ? null : parseCpuMask(text);
}
