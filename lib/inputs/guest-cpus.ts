import { type CpuSet, intersectionOf, unionOf, without } from '../words/cpu-list.ts';
import type { Domain } from './domain.ts';
import type { Profile } from './profile.ts';

/** The CPUs that belong to the guest alone, and who says so. */
export interface GuestCpus {
  readonly cpus: CpuSet;
  readonly from: 'profile' | 'domain' | null;
}

/**
 * The guest's CPUs: those of the profile, else where every vCPU of the domain is pinned (by <vcpupin>, or by cpuset='' of
 * <vcpu>) and the pins leave some CPUs free, these and the CPUs of iothreads that share none with the emulator.
 */
export function guestCpusOf(cpu: Profile['cpu'], domain: Domain | null, online: CpuSet): GuestCpus {
  if (cpu.guest !== null) return { cpus: cpu.guest, from: 'profile' };
  const pins = domain === null ? null : vcpuCpus(domain);
  if (domain === null || pins === null || without(online, pins).length === 0) return { cpus: [], from: null };
  const emulator = domain.emulatorPin ?? domain.vcpuSet ?? online;
  const ownIothreads = [...domain.iothreadPins.values()].filter(
    (pin) => intersectionOf(pin, emulator).length === 0,
  );
  return { cpus: unionOf(pins, ...ownIothreads), from: 'domain' };
}

/** Where each of the guest's threads is told to run, by what people call it; unpinned ones are left out. */
export function threadPins(domain: Domain | null): ReadonlyMap<string, CpuSet> {
  const pins = new Map<string, CpuSet>();
  if (domain === null) return pins;
  for (const [vcpu, pin] of domain.vcpuPins) pins.set(`vCPU ${vcpu}`, pin);
  const emulator = domain.emulatorPin ?? domain.vcpuSet;
  if (emulator !== null) pins.set('the emulator', emulator);
  for (const [iothread, pin] of domain.iothreadPins) pins.set(`iothread ${iothread}`, pin);
  return pins;
}

/** The CPUs of all vCPUs, or null where one of them may run anywhere. */
function vcpuCpus({ vcpus, vcpuPins, vcpuSet }: Domain): CpuSet | null {
  if (vcpus === null) return null;
  const pins = Array.from({ length: vcpus }, (_, vcpu) => vcpuPins.get(vcpu) ?? vcpuSet);
  return pins.includes(null) || pins.length === 0 ? null : unionOf(...(pins as CpuSet[]));
}
