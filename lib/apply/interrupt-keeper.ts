import type { Host } from '../host/host.ts';
import { readIrqAffinity } from '../host/irqs.ts';
import { isVfioIrq, readFunctionIrqs } from '../host/vfio-irqs.ts';
import { moveIrq } from '../steps/irq-affinity.ts';
import { type CpuSet, formatCpuList, without } from '../words/cpu-list.ts';
import type { PciAddress } from '../words/pci-address.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;

/** What we know of an interrupt that we have moved. */
interface Known {
  /** Not to be moved again before this moment: somebody else (irqbalance) may want it elsewhere, and must not be fought for ever. */
  notBefore: number;
  pauseMs: number;
  refused: boolean;
}

/** Keeps the VFIO interrupts of a guest's functions on the guest's CPUs, however often its driver makes them anew. */
export class InterruptKeeper {
  readonly #cpus: CpuSet;
  readonly #addresses: readonly PciAddress[];
  readonly #known = new Map<number, Known>();

  constructor(cpus: CpuSet, addresses: readonly PciAddress[]) {
    this.#cpus = cpus;
    this.#addresses = addresses;
  }

  /** The interrupts that are elsewhere and may be moved now; reads only, and little of it. */
  look(host: Host): number[] {
    const now = host.now();
    const present = this.#addresses.flatMap((address) => readFunctionIrqs(host, address));
    for (const irq of this.#known.keys()) if (!present.includes(irq)) this.#known.delete(irq);
    return present.filter((irq) => {
      const known = this.#known.get(irq);
      if (known !== undefined && (known.refused || now < known.notBefore)) return false;
      return this.#isElsewhere(host, irq) && isVfioIrq(host, irq);
    });
  }

  /** Moves them; answers which came over. To be called under the lock, so that no release gives the numbers to the host in between. */
  move(host: Host, irqs: readonly number[]): number[] {
    return irqs.filter((irq) => this.#moveOne(host, irq));
  }

  #moveOne(host: Host, irq: number): boolean {
    const before = readIrqAffinity(host, irq);
    if (before === null || !isVfioIrq(host, irq)) return false;
    const moved = moveIrq(host, String(irq), this.#cpus);
    // The guest may have let go of it just now, and another driver got the number
    if (readIrqAffinity(host, irq) !== null && !isVfioIrq(host, irq)) {
      moveIrq(host, String(irq), before);
      return false;
    }
    const known = this.#known.get(irq);
    const now = host.now();
    const held = known === undefined || now - known.notBefore > LONGEST_PAUSE_MS;
    const pauseMs = held ? FIRST_PAUSE_MS : Math.min(known.pauseMs * 2, LONGEST_PAUSE_MS);
    this.#known.set(irq, { notBefore: now + pauseMs, pauseMs, refused: !moved });
    return moved;
  }

  #isElsewhere(host: Host, irq: number): boolean {
    const affinity = readIrqAffinity(host, irq);
    return affinity !== null && without(affinity, this.#cpus).length > 0;
  }

  /** In words, for the log. */
  describe(irqs: readonly number[]): string {
    return `put ${irqs.length === 1 ? 'interrupt' : 'interrupts'} ${irqs.join(', ')} of the guest's devices on CPUs ${formatCpuList(this.#cpus)}`;
  }
}
