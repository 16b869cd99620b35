import type { MemoryPicture } from '../host/memory.ts';
import type { Domain } from '../inputs/domain.ts';
import type { Refusal } from '../words/errors.ts';
import { formatKib } from '../words/size.ts';
import type { HeldStep, StepOf } from '../words/step.ts';
import { findMemoryDemands, type MemoryDemand, type MemoryProfile, wantsHugepages } from './memory-demand.ts';
import { MemoryRoom } from './memory-room.ts';
import type { PlanPart } from './part.ts';

/** All that the decision about huge pages rests on. `mappedKib`: huge pages that each other guest's QEMU has, by guest. */
export interface MemoryPlanInput {
  readonly profile: MemoryProfile;
  readonly domain: Domain | null;
  readonly picture: MemoryPicture;
  readonly others: readonly HeldStep[];
  readonly mappedKib: ReadonlyMap<string, number>;
}

const GIGANTIC_KIB = 1_048_576;

/** Decides how many pages of which size must be free on which host node; the rules are those of docs/memory.md. */
export function planMemory(input: MemoryPlanInput): PlanPart {
  const { profile, domain, picture } = input;
  const notes = notesOnWishes(profile, domain);
  if (!wantsHugepages(profile, domain)) return { steps: [], refusals: [], notes };
  const demands = findMemoryDemands(profile, domain);
  if (demands === null) return { steps: [], refusals: [unknownSize()], notes };
  const refusals: Refusal[] = [];
  const room = new MemoryRoom(input);
  for (const demand of demands) {
    const sizeKib = demand.sizeKib ?? picture.defaultSizeKib;
    if (sizeKib === null || !picture.totals.has(sizeKib)) {
      refusals.push(noSuchSize(sizeKib, picture));
      continue;
    }
    const unknown = demand.nodes?.filter((id) => !picture.nodes.some((node) => node.id === id)) ?? [];
    if (unknown.length > 0) {
      refusals.push(...unknown.map((id) => noSuchNode(demand, id, picture)));
      continue;
    }
    const rest = demand.memoryKib % sizeKib;
    if (rest !== 0) {
      const whole = formatKib(demand.memoryKib - rest + sizeKib);
      notes.push(
        `${demand.what} is ${formatKib(demand.memoryKib)}, no whole number of pages of ${formatKib(sizeKib)}: ${whole} is taken, and QEMU may refuse the size`,
      );
    }
    const short = room.place(demand, sizeKib, Math.ceil(demand.memoryKib / sizeKib));
    if (short !== null) refusals.push(short);
  }
  const compact = profile.memory.compact && !picture.zfs;
  const steps = room
    .placed()
    .map(({ node, sizeKib, pages, present, missing, reachableKib }): StepOf<'hugepages'> => {
      const size = formatKib(sizeKib);
      if (missing > 0 && compact !== profile.memory.compact) {
        notes.push(
          'OpenZFS is loaded: memory is not compacted, since that has hung kernels with it (openzfs issue 15140)',
        );
      }
      if (missing > 0 && sizeKib >= GIGANTIC_KIB) {
        notes.push(
          `${missing} more pages of ${size} on node ${node} must be found in one piece each, which a host that has run for long seldom has: hugepagesz=1G hugepages=N on the kernel command line reserves them at boot`,
        );
      } else if (missing * sizeKib > reachableKib) {
        notes.push(
          `Node ${node} has ${formatKib(reachableKib)} free or in caches, ${formatKib(missing * sizeKib)} more are needed: the start may fail`,
        );
      }
      const { waitMs, dropCaches } = profile.memory;
      return {
        kind: 'hugepages',
        target: `pages of ${size} on node ${node}`,
        from: `${present}`,
        to: `${present + missing}`,
        sizeKib,
        node,
        pages,
        waitMs,
        compact,
        dropCaches,
      };
    });
  return { steps: refusals.length > 0 ? [] : steps, refusals: unique(refusals), notes: [...new Set(notes)] };
}

function notesOnWishes({ memory }: MemoryProfile, domain: Domain | null): string[] {
  const notes: string[] = [];
  const asked = memory.hugepageKib;
  if (asked === 0 && domain?.hugepages != null) {
    notes.push(
      'The domain XML asks for huge pages, the profile takes none: QEMU starts only if the host has enough of them',
    );
  }
  if (asked !== null && asked > 0 && domain !== null && domain.hugepages === null) {
    notes.push(
      'The domain XML has no <memoryBacking><hugepages/>: QEMU will not use the huge pages that the profile takes',
    );
  }
  if (asked === null && domain?.hugepages == null && (memory.sizeKib !== null || memory.nodes !== null)) {
    notes.push(
      'The profile’s [memory] size and nodes do nothing: neither it nor the domain XML asks for huge pages',
    );
  }
  const cells = domain?.cells.reduce((sum, cell) => sum + cell.memoryKib, 0) ?? 0;
  const given = memory.nodes?.reduce((sum, part) => sum + part.sizeKib, 0) ?? memory.sizeKib ?? cells;
  if (given > 0 && wantsHugepages({ memory }, domain) && (domain?.memoryKib ?? 0) > given) {
    notes.push(
      `Huge pages are taken for ${formatKib(given)} of the guest’s ${formatKib(domain!.memoryKib!)}: the rest (memory devices, or a size in the profile) must be there by itself`,
    );
  }
  return notes;
}

function unknownSize(): Refusal {
  return {
    id: 'memory-size-unknown',
    summary:
      'Cannot take huge pages: neither the profile nor a domain XML says how much memory the guest has',
    remedy: 'Set size in the profile’s [memory]',
  };
}

function noSuchSize(sizeKib: number | null, { totals }: MemoryPicture): Refusal {
  const sizes = [...totals.keys()].map(formatKib).join(' and ') || 'none at all';
  const flag =
    sizeKib === GIGANTIC_KIB ? ' (on x86 they need the processor’s pdpe1gb, in a virtual machine too)' : '';
  return {
    id: 'hugepage-size',
    summary: `Cannot take huge pages of ${sizeKib === null ? 'the default size' : formatKib(sizeKib)}: this kernel on this processor has ${sizes}${flag}`,
    remedy:
      totals.size > 0
        ? 'Set hugepages in the profile’s [memory] and <page size> in the domain XML to a size it has'
        : null,
  };
}

function noSuchNode(demand: MemoryDemand, id: number, { nodes }: MemoryPicture): Refusal {
  return {
    id: 'memory-node',
    summary: `Cannot place ${demand.what} on node ${id}: the host has the nodes ${nodes.map((node) => node.id).join(', ')}`,
    remedy: 'Name one of these in <numatune>, or in the profile’s [memory] nodes',
  };
}

function unique(refusals: readonly Refusal[]): Refusal[] {
  return refusals.filter((one, at) => refusals.findIndex(({ summary }) => summary === one.summary) === at);
}
