import type { CpuSet } from '../words/cpu-list.ts';
import type { PinCore } from './pin-cores.ts';

/** Where QEMU's own threads go: CPUs of the host, never the guest's. */
export interface Beside {
  readonly emulator: CpuSet;
  readonly iothread: CpuSet;
}

/**
 * A core for the emulator and another for I/O threads, out of those that stay with the host: below the guest's L3 cache, else
 * on its node, else anywhere; efficiency cores first, the host's first core last. One core serves both where there is no other.
 */
export function chooseBeside(rest: readonly PinCore[], guest: readonly PinCore[], hostCore: PinCore): Beside {
  const shares = (level: 'l3' | 'node') => (core: PinCore) =>
    core[level] !== null && guest.some((one) => one[level] === core[level]);
  const order = (cores: readonly PinCore[]) =>
    [...cores].sort(
      (a, b) =>
        Number(a === hostCore) - Number(b === hostCore) ||
        Number(b.kind === 'efficiency') - Number(a.kind === 'efficiency') ||
        a.cpus[0]! - b.cpus[0]!,
    );
  const ranked = [
    ...new Set([...order(rest.filter(shares('l3'))), ...order(rest.filter(shares('node'))), ...order(rest)]),
  ];
  // The host's first core is the last choice wherever it lies
  const candidates = [
    ...ranked.filter((core) => core !== hostCore),
    ...ranked.filter((core) => core === hostCore),
  ];
  const emulator = candidates[0]!;
  const iothread = candidates[1] === hostCore ? emulator : (candidates[1] ?? emulator);
  return { emulator: emulator.cpus, iothread: iothread.cpus };
}
