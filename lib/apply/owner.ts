import type { Host } from '../host/host.ts';
import { isRunning } from '../host/is-running.ts';
import { type QemuProcess, readQemuProcesses } from '../host/qemu-processes.ts';
import { liveEntries } from './journal.ts';
import type { Journal } from './journal-text.ts';

/** How long after a prepare libvirt may take until its QEMU is there. */
const GRACE_MS = 120_000;

/** What of a guest still runs on what its journal lists, in words, or null. */
export function whyRunning(host: Host, journal: Journal): string | null {
  const open = openGroups(host, journal);
  if (open.length > 0) return `VFIO group ${open.join(', ')} is open`;
  if (journal.owner.kind === 'launcher' && isRunning(host, journal.owner))
    return `its launcher ${journal.owner.pid} runs`;
  const qemu = findQemu(host, journal);
  return qemu === null ? null : `its QEMU ${qemu} runs`;
}

/** Why a journal's guest must be taken for alive, in words, or null: then what it holds may be given back. */
export function whyAlive(host: Host, journal: Journal): string | null {
  const running = whyRunning(host, journal);
  if (running !== null) return running;
  // Whoever asks has the lock, so nobody is still preparing: an unfinished journal is a killed one
  if (!journal.ready || journal.pending !== null || journal.owner.kind === 'launcher') return null;
  if (journal.owner.kind === 'person') return 'it was prepared by hand, and only release ends that';
  // One that comes after it knows nothing of this start
  if (journal.owner.daemon !== undefined && !isRunning(host, journal.owner.daemon)) return null;
  const age = host.now() - journal.readyAt;
  return age >= 0 && age < GRACE_MS
    ? `it was prepared ${Math.round(age / 1000)} s ago and libvirt may still be starting it`
    : null;
}

/** Whether a guest that counts as alive may still come to nothing: it is prepared, and nothing runs on it so far. */
export function isWaitedFor(host: Host, journal: Journal): boolean {
  const isUp = openGroups(host, journal).length > 0 || findQemu(host, journal) !== null;
  return journal.owner.kind !== 'person' && !isUp;
}

/** VFIO groups of the journal's functions that a process has open. */
export function openGroups(host: Host, journal: Journal): string[] {
  const groups = new Set<string>();
  for (const { step } of liveEntries(journal)) {
    if (step.kind !== 'driver' || step.driver === null) continue;
    const group = host.linkName(`/sys/bus/pci/devices/${step.address}/iommu_group`);
    if (group !== null && host.claimable(`/dev/vfio/${group}`) === 'busy') groups.add(group);
  }
  return [...groups];
}

/** The process number of the guest's QEMU, known by its UUID or its name; null where there is none. */
export function findQemu(host: Host, { header }: Journal): number | null {
  const isIt = ({ guest, uuid }: QemuProcess) =>
    guest === header.guest || (header.uuid !== null && uuid === header.uuid);
  return readQemuProcesses(host).find(isIt)?.pid ?? null;
}
