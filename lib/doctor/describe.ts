import type { Checkup } from '../host/checkup.ts';
import type { PciFunction } from '../host/pci-function.ts';
import { listed } from '../plan/device-input.ts';
import type { PciAddress } from '../words/pci-address.ts';
import { isUnseen } from '../words/seen.ts';

/** "0000:01:00.0 (NVIDIA Corporation AD102)". */
export function named(checkup: Checkup, address: PciAddress): string {
  const name = checkup.names.get(address);
  return name === undefined ? address : `${address} (${name})`;
}

/** Several of them, as many as a sentence takes. */
export function namedAll(checkup: Checkup, addresses: readonly PciAddress[]): string {
  return listed(
    addresses.map((address) => named(checkup, address)),
    4,
  );
}

/** Why nodes in /dev cannot be looked at. */
export const NO_NODES = 'a recorded machine has no device nodes';

/** All functions, none where the bus could not be read. */
export function functionsOf(checkup: Checkup): readonly PciFunction[] {
  return isUnseen(checkup.functions) ? [] : [...checkup.functions.value.values()];
}

/** Lines of the kernel's log that fit, at most three of them, quoted for a sentence. */
export function quotedLines(lines: readonly string[]): string {
  return listed(
    lines.slice(0, 3).map((line) => `"${line.length > 160 ? `${line.slice(0, 160)}…` : line}"`),
    3,
  );
}
