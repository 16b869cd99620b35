import type { Domain } from './domain.ts';
import { amount, child, childrenOf, elementLacks, kibOf, setOf } from './domain-elements.ts';
import type { XmlElement } from './xml-tree.ts';

/** What libvirt writes for "no limit" (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED), in KiB; larger values mean the same. */
const UNLIMITED_KIB = 9_007_199_254_740_991;

/** <memtune>, in KiB. See "Memory Tuning" in libvirt's formatdomain. */
export function limitsOf(memtune: XmlElement | null): Domain['memtune'] {
  return {
    hardLimitKib: limit(child(memtune, 'hard_limit')),
    softLimitKib: limit(child(memtune, 'soft_limit')),
    swapHardLimitKib: limit(child(memtune, 'swap_hard_limit')),
    minGuaranteeKib: limit(child(memtune, 'min_guarantee')),
  };
}

/** <vcpusched vcpus='0-4,^3' scheduler='fifo' priority='1'/>. See "CPU Tuning" there. */
export function schedsOf(cputune: XmlElement | null): Domain['vcpuScheds'] {
  return childrenOf(cputune, 'vcpusched').map((element) => ({
    vcpus: setOf(element, 'vcpus'),
    scheduler: element.attributes.get('scheduler') ?? elementLacks(element, 'scheduler'),
    priority: element.attributes.has('priority') ? amount(element, 'priority') : null,
  }));
}

function limit(element: XmlElement | null): number | null {
  if (element === null || element.text.trim() === '-1') return null;
  const kib = kibOf(element, element.text, element.attributes.get('unit') ?? null);
  return kib >= UNLIMITED_KIB ? null : kib;
}
