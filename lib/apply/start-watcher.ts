import type { Host } from '../host/host.ts';
import { readOnlineCpus } from '../host/online-cpus.ts';
import type { Domain } from '../inputs/domain.ts';
import { guestCpusOf } from '../inputs/guest-cpus.ts';
import { formatWatchOrder, type WatchOrder } from '../inputs/watch-order.ts';
import { type CpuSet, intersectionOf, unionOf } from '../words/cpu-list.ts';
import type { GuestInputs } from './guest.ts';
import { liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';
import { isAlive } from './settle.ts';

/** Frugal: it sleeps nearly all the time, beside a guest that wants the memory. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=48', '--v8-pool-size=0'];

/** How our own hook is run again as a watcher: node, the bundle, and what stands before the guest. */
export type WatchProgram = readonly [node: string, ...rest: string[]];

/** Starts the watcher of a prepared guest, unless it has one or there is nothing to watch; answers its process number, or null. It holds nothing of ours open. */
export function startWatcher(
  host: Host,
  inputs: GuestInputs,
  journal: Journal,
  [node, ...program]: WatchProgram,
): number | null {
  if (journal.watcher !== null && isAlive(host, journal.watcher)) return null;
  const order = watchOrderOf(inputs, journal, readOnlineCpus(host));
  if (order === null) return null;
  return host.spawnDetached([node, ...NODE_OPTIONS, ...program, ...formatWatchOrder(order)]);
}

/** What there is to watch: nothing where no CPUs are the guest's own. */
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
