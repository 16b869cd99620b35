import type { ProfileSource } from './profile-source.ts';

/** How many vCPUs a profile asks for: vcpus, else the product of the topology, else one for each of pins, else 2. */
export function vcpuCountOf(source: ProfileSource): number {
  const part = (key: string) => source.number('machine', key);
  const vcpus = part('vcpus');
  if (vcpus !== null) return vcpus;
  const parts = ['sockets', 'dies', 'cores', 'threads'].map(part);
  const product = parts.reduce<number>((all, one) => all * (one ?? 1), 1);
  const pins = source.peek('cpu', 'pins');
  if (part('cores') === null && pins !== null) return pins.split(/\s+/).length;
  return parts.every((one) => one === null) ? 2 : product;
}
