import { formatCpuList, formatCpuMask, intersectionOf, parseCpuMask } from '../../lib/words/cpu-list.ts';
import { listOf, refusal } from './cpu-model.ts';
import type { FakeHost } from './fake-host.ts';

/** One interrupt; `managed` is the errno with which the kernel refuses to move it. */
export interface FakeIrq {
  readonly irq: number;
  readonly actions?: readonly string[];
  readonly affinity: string;
  readonly managed?: 'EIO' | 'EPERM';
}

/** Puts interrupts; `defaultMask` is the affinity that new ones are born with. */
export function addIrqs(host: FakeHost, irqs: readonly FakeIrq[], defaultMask = 'ff'): void {
  if (host.peek('/proc/irq/default_smp_affinity') === null) host.onWrite(/^\/proc\/irq\//, writeAffinity);
  host.put('/proc/irq/default_smp_affinity', `${defaultMask}\n`);
  for (const { irq, actions = [], affinity, managed } of irqs) {
    const path = `/proc/irq/${irq}`;
    host.put(`${path}/smp_affinity_list`, `${affinity}\n`);
    host.put(`${path}/smp_affinity`, `${formatCpuMask(listOf(affinity))}\n`);
    host.put(`${path}/effective_affinity_list`, `${listOf(affinity)[0]}\n`);
    host.put(`${path}/effective_affinity`, `${formatCpuMask(listOf(affinity).slice(0, 1))}\n`);
    host.put(`${path}/spurious`, 'count 0\nunhandled 0\nlast_unhandled 0 ms\n');
    host.put(`${path}/node`, '0\n');
    for (const action of actions) host.putFolder(`${path}/${action}`);
    // Hidden among the files so that the model needs no memory of its own
    if (managed !== undefined) host.put(`${path}/affinity_hint`, `${managed}\n`);
  }
}

/** Lets an interrupt be born while the machine runs: with the default affinity of this moment. */
export function bearIrq(host: FakeHost, irq: number, action: string): void {
  const mask = parseCpuMask(host.peek('/proc/irq/default_smp_affinity') ?? '') ?? [];
  addIrqs(host, [{ irq, actions: [action], affinity: formatCpuList(mask) }], formatCpuMask(mask));
}

function writeAffinity(path: string, text: string, host: FakeHost): void {
  const online = listOf(host.peek('/sys/devices/system/cpu/online') ?? '');
  if (path === '/proc/irq/default_smp_affinity') {
    const mask = parseCpuMask(text);
    if (mask === null || intersectionOf(mask, online).length === 0) throw refusal(path, 'EINVAL');
    host.put(path, `${formatCpuMask(mask)}\n`);
    return;
  }
  const folder = path.slice(0, path.lastIndexOf('/'));
  const managed = host.peek(`${folder}/affinity_hint`)?.trim();
  if (managed !== undefined) throw refusal(path, managed);
  const cpus = listOf(text.trim());
  const usable = intersectionOf(cpus, online);
  if (usable.length === 0) throw refusal(path, 'EINVAL');
  host.put(`${folder}/smp_affinity_list`, `${formatCpuList(cpus)}\n`);
  host.put(`${folder}/smp_affinity`, `${formatCpuMask(cpus)}\n`);
}
