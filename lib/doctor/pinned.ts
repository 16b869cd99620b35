import type { Checkup } from '../host/checkup.ts';
import { guestCpusOf } from '../inputs/guest-cpus.ts';
import { type CpuSet, unionOf } from '../words/cpu-list.ts';
import { ok, unknown, type Verdict } from './check.ts';

/** Judges the CPUs that the guest has for itself. */
export function withPins(checkup: Checkup, judge: (pins: CpuSet) => Verdict): Verdict {
  if (onlineOf(checkup).length === 0)
    return unknown('/sys/devices/system/cpu does not tell which CPUs there are');
  const pins = pinsOf(checkup);
  if (pins.length > 0) return judge(pins);
  return ok(checkup.guest === null ? 'No guest was asked about' : 'The guest has no CPUs of its own');
}

/** All that its profile or XML names, there or not. */
export function pinsOf(checkup: Checkup): CpuSet {
  const { guest } = checkup;
  if (guest === null) return [];
  const cpu = guest.profile?.cpu ?? NO_WISHES;
  return guestCpusOf(cpu, guest.domain, onlineOf(checkup)).cpus;
}

const NO_WISHES = {
  guest: null,
  isolate: false,
  irqs: false,
  workqueues: false,
  governor: null,
  energy: null,
};

/** The CPUs of the vCPUs alone. */
export function vcpuPins({ guest }: Checkup): CpuSet {
  return unionOf(...[...(guest?.domain?.vcpuPins.values() ?? [])]);
}

/** The CPUs that run. */
export function onlineOf({ topology }: Checkup): CpuSet {
  return topology.cpus.filter(({ online }) => online).map(({ id }) => id);
}
