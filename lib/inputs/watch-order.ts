import { type CpuSet, formatCpuList, parseCpuList } from '../words/cpu-list.ts';
import { type PciAddress, parsePciAddress } from '../words/pci-address.ts';

/** The word that stands where libvirt's hook has its operation: no libvirt says it. */
export const WATCH = 'watch';

/** What the watcher of a running guest is told, by argv of its own process. */
export interface WatchOrder {
  readonly guest: string;
  readonly uuid: string | null;
  /** Where the interrupts of the guest's functions belong; null: they are left alone. */
  readonly interruptCpus: CpuSet | null;
  /** CPUs that QEMU's own threads must leave; null: the domain says where they run. */
  readonly keepEmulatorOff: CpuSet | null;
  readonly addresses: readonly PciAddress[];
}

/** The order as arguments: guest, "watch", UUID, both CPU lists ("-" for none), addresses. */
export function formatWatchOrder(order: WatchOrder): string[] {
  const { guest, uuid, interruptCpus, keepEmulatorOff, addresses } = order;
  const lists = [interruptCpus, keepEmulatorOff].map((cpus) => (cpus === null ? NONE : formatCpuList(cpus)));
  return [guest, WATCH, uuid ?? NONE, ...lists, ...addresses];
}

/** Reads the arguments, or gives null where they are none. */
export function parseWatchOrder(argv: readonly string[]): WatchOrder | null {
  const [guest = '', word, uuid = '', interrupts = '', emulator = '', ...rest] = argv;
  const addresses = rest.map(parsePciAddress);
  const lists = [interrupts, emulator].map((list) => (list === NONE ? null : parseCpuList(list)));
  const isWhole = [interrupts, emulator].every((list, at) => list === NONE || (lists[at]?.length ?? 0) > 0);
  if (word !== WATCH || guest === '' || uuid === '' || !isWhole || addresses.includes(null)) return null;
  return {
    guest,
    uuid: uuid === NONE ? null : uuid,
    interruptCpus: lists[0] ?? null,
    keepEmulatorOff: lists[1] ?? null,
    addresses: addresses as PciAddress[],
  };
}

const NONE = '-';
