import type { Domain } from '../inputs/domain.ts';
import { guestCpusOf } from '../inputs/guest-cpus.ts';
import { type CpuSet, intersectionOf, unionOf } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';
import type { GuestInputs } from './guest.ts';
import { liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';

/** What the watcher of a running guest has to do. */
export interface WatchOrder {
  readonly guest: string;
  readonly uuid: string | null;
  /** Where the interrupts of the guest's functions belong; null: they are left alone. */
  readonly interruptCpus: CpuSet | null;
  /** CPUs that QEMU's own threads must leave; null: the domain says where they run. */
  readonly keepEmulatorOff: CpuSet | null;
  readonly addresses: readonly PciAddress[];
}

/** What there is to watch of a prepared guest: nothing, as null, where no CPUs are its own. */
export function watchOrderOf(
  { guest, profile, domain }: GuestInputs,
  journal: Journal,
  online: CpuSet,
): WatchOrder | null {
  const { cpus } = guestCpusOf(profile.cpu, domain, online);
  if (cpus.length === 0) return null;
  const addresses = liveEntries(journal)
    .map(({ step }) => step)
    .flatMap((step) => (step.kind === 'driver' && step.driver !== null ? [step.address] : []));
  const order: WatchOrder = {
    guest,
    uuid: journal.header.uuid,
    interruptCpus: profile.cpu.irqs && addresses.length > 0 ? vcpuCpus(domain, cpus) : null,
    keepEmulatorOff: domain?.emulatorPin == null ? cpus : null,
    addresses,
  };
  return order.interruptCpus === null && order.keepEmulatorOff === null ? null : order;
}

/** Where the vCPUs run: of the guest's CPUs those that <vcpupin> names, else all. */
function vcpuCpus(domain: Domain | null, cpus: CpuSet): CpuSet {
  const pinned = intersectionOf(unionOf(...(domain?.vcpuPins.values() ?? [])), cpus);
  return pinned.length > 0 ? pinned : cpus;
}
