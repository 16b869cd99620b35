import { readHeldCpus } from '../lib/apply/held-cpus.ts';
import type { Host } from '../lib/host/host.ts';
import { readPciFunction } from '../lib/host/pci-function.ts';
import { readTopology } from '../lib/host/topology.ts';
import { planPin } from '../lib/plan/pin.ts';
import type { PinWish } from '../lib/plan/pinning.ts';
import { UsageError } from '../lib/words/errors.ts';
import { parseAddressWord } from './address-word.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { describePinning, formatPinning } from './pin-text.ts';

/** `passqemu pin`: proposes the CPUs of a guest, with the reason, as profile, as libvirt XML and as kernel parameters. */
export async function pin(line: CommandLine, globals: Globals): Promise<number> {
  const { host, stateDir } = globals;
  const wish: PinWish = {
    vcpus: readCount(line.value('vcpus')),
    smt: readSmt(line.value('smt')),
    largeCache: line.has('large-cache'),
    device: readDevice(host, line.value('device')),
  };
  const topology = readTopology(host);
  const taken = readHeldCpus(host, stateDir);
  const pinning = planPin({ topology, wish, taken: taken ?? new Map() });
  const vendor = /^vendor_id\s*:\s*(\S+)$/m.exec(host.readOptional('/proc/cpuinfo') ?? '')?.[1] ?? null;
  const told = describePinning(pinning, vendor);
  if (taken === null)
    globals.err('passqemu: Cannot see which CPUs guests hold: run it as root to leave those out');
  globals.out(globals.json ? JSON.stringify(told, null, 2) : formatPinning(told));
  return 0;
}

const MOST_VCPUS = 4096;

function readCount(text: string | null): number | null {
  if (text === null) return null;
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_VCPUS) return count;
  throw new UsageError(`Cannot place "${text}" vCPUs: it must be a number from 1 to ${MOST_VCPUS}`);
}

function readSmt(text: string | null): PinWish['smt'] {
  if (text === null || text === 'keep' || text === 'spread') return text ?? 'keep';
  throw new UsageError(`Cannot treat the threads of a core as "${text}": --smt is keep or spread`);
}

function readDevice(host: Host, text: string | null): PinWish['device'] {
  if (text === null) return null;
  const address = parseAddressWord(text);
  const found = readPciFunction(host, address);
  if (found === null)
    throw new UsageError(
      `Cannot pin near ${address}: there is no such function`,
      'passqemu devices lists them',
    );
  return { address, node: found.node };
}
