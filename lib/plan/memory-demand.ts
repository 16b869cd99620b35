import type { Domain } from '../inputs/domain.ts';
import type { Profile } from '../inputs/profile.ts';
import { type CpuSet, unionOf } from '../words/cpu-list.ts';

/** Memory of the guest that wants to lie in huge pages, before it is decided on which pages of which node. */
export interface MemoryDemand {
  /** For people: "guest cell 0", "the guest's memory". */
  readonly what: string;
  readonly memoryKib: number;
  /** Page size in KiB; null means the host's default size. */
  readonly sizeKib: number | null;
  /** The host nodes that somebody named, or null. */
  readonly nodes: CpuSet | null;
  /** CPUs that will use it: their node is the next best thing. */
  readonly cpus: CpuSet;
}

/** The parts of a profile that say something about memory. */
export type MemoryProfile = Pick<Profile, 'guest' | 'memory' | 'cpu'>;

/** Whether the guest wants huge pages at all: without, nothing about memory need be read. */
export function wantsHugepages(profile: Pick<Profile, 'memory'>, domain: Domain | null): boolean {
  const { hugepageKib } = profile.memory;
  return hugepageKib === null ? domain?.hugepages != null : hugepageKib > 0;
}

/** What the guest wants, cell by cell; null where its size is not known. Ordinary memory (base pages) is not in it. */
export function findMemoryDemands(
  profile: MemoryProfile,
  domain: Domain | null,
): readonly MemoryDemand[] | null {
  const { nodes, sizeKib, hugepageKib } = profile.memory;
  const cpus = guestCpus(profile, domain);
  const pageOf = (cell: number) =>
    hugepageKib === null ? domainPageSize(domain, cell) : { sizeKib: hugepageKib };
  if (nodes !== null) {
    const page = pageOf(0) ?? { sizeKib: null };
    return nodes.map((part) => ({
      what: `[memory] nodes = ${part.node}:…`,
      memoryKib: part.sizeKib,
      ...page,
      nodes: [part.node],
      cpus,
    }));
  }
  const cells = sizeKib === null ? (domain?.cells ?? []) : [];
  if (cells.length > 0) {
    return cells.flatMap((cell) => {
      const page = pageOf(cell.id);
      if (page === null) return [];
      const pinned = unionOf(...cell.cpus.map((vcpu) => domain?.vcpuPins.get(vcpu) ?? []));
      return [
        {
          what: `guest cell ${cell.id}`,
          memoryKib: cell.memoryKib,
          ...page,
          nodes: domain?.cellNodes.get(cell.id) ?? domain?.memoryNodes ?? null,
          cpus: pinned.length > 0 ? pinned : cpus,
        },
      ];
    });
  }
  const memoryKib = sizeKib ?? domain?.memoryKib ?? null;
  const page = pageOf(0) ?? { sizeKib: null };
  if (memoryKib === null) return null;
  return [{ what: 'the guest’s memory', memoryKib, ...page, nodes: domain?.memoryNodes ?? null, cpus }];
}

/**
 * The page size of a guest cell: libvirt takes the <page> that names the cell, else the one that names none. A list
 * without any <page> is the default size; cells that no <page> fits stay in ordinary memory. Null: ordinary memory.
 */
function domainPageSize(domain: Domain | null, cell: number): { readonly sizeKib: number | null } | null {
  const pages = domain?.hugepages;
  if (pages == null) return null;
  if (pages.length === 0) return { sizeKib: null };
  const page =
    pages.find(({ nodeset }) => nodeset?.includes(cell)) ?? pages.find(({ nodeset }) => nodeset === null);
  return page === undefined ? null : { sizeKib: page.sizeKib };
}

function guestCpus(profile: MemoryProfile, domain: Domain | null): CpuSet {
  if (profile.cpu.guest !== null) return profile.cpu.guest;
  const pinned = unionOf(...(domain?.vcpuPins.values() ?? []));
  return pinned.length > 0 ? pinned : (domain?.vcpuSet ?? []);
}
