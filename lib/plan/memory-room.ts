import type { MemoryNode, MemoryPicture } from '../host/memory.ts';
import { formatCpuList } from '../words/cpu-list.ts';
import type { Refusal } from '../words/errors.ts';
import { formatKib } from '../words/size.ts';
import type { HeldStep } from '../words/step.ts';
import type { MemoryDemand } from './memory-demand.ts';
import { promisedPages } from './promised-pages.ts';

/** Pages of one size that the guest gets on one node. */
export interface Placement {
  readonly node: number;
  readonly sizeKib: number;
  readonly pages: number;
  /** Pages in the pool now, and how many must be added. */
  readonly present: number;
  readonly missing: number;
  /** What the node had free or in caches before we took anything. */
  readonly reachableKib: number;
}

interface NodeRoom {
  readonly node: MemoryNode;
  /** Memory in no pool: the most that new pages could ever be made of. */
  unpooledKib: number;
  /** The part of it that is free or holds caches. */
  reachableKib: number;
  /** Free pages that are nobody else's, by page size. */
  readonly spare: Map<number, number>;
  readonly taken: Map<number, number>;
}

/** What is left of the host's memory while the guest's demands are placed one after another. */
export class MemoryRoom {
  readonly #rooms: readonly NodeRoom[];

  constructor(about: {
    readonly picture: MemoryPicture;
    readonly others: readonly HeldStep[];
    readonly mappedKib: ReadonlyMap<string, number>;
  }) {
    this.#rooms = about.picture.nodes.map((node) => {
      const pools = [...node.pools];
      const pooledKib = pools.reduce(
        (sum, [sizeKib, pool]) => sum + sizeKib * (pool.pages + pool.surplus),
        0,
      );
      const unpooledKib = Math.max(0, node.totalKib - pooledKib);
      const spare = pools.map(([sizeKib, pool]) => {
        const reserved = about.picture.totals.get(sizeKib)?.reserved ?? 0;
        const promised = promisedPages(about.others, about.mappedKib, sizeKib, node.id);
        return [sizeKib, Math.max(0, pool.free - reserved - promised)] as const;
      });
      const reachableKib = Math.min(unpooledKib, node.freeKib + node.reclaimableKib);
      return { node, unpooledKib, reachableKib, spare: new Map(spare), taken: new Map() };
    });
  }

  /** Puts so many pages on the demand's nodes; the refusal where arithmetic rules that out. */
  place(demand: MemoryDemand, sizeKib: number, pages: number): Refusal | null {
    const rooms = this.#choose(demand, sizeKib, pages);
    // What is likely first, then what is possible at all
    const likely = spread(
      pages,
      rooms.map((room) => mostPages(room, sizeKib, room.reachableKib)),
    );
    const left = pages - sum(likely);
    const rest = spread(
      left,
      rooms.map((room, at) => mostPages(room, sizeKib, room.unpooledKib) - likely[at]!),
    );
    if (sum(rest) < left) return impossible(demand, sizeKib, pages, rooms);
    for (const [at, room] of rooms.entries()) take(room, sizeKib, likely[at]! + rest[at]!);
    return null;
  }

  /** All that was placed, by node and size. */
  placed(): Placement[] {
    return this.#rooms.flatMap(({ node, taken, spare }) =>
      [...taken].map(([sizeKib, pages]) => ({
        node: node.id,
        sizeKib,
        pages,
        present: (node.pools.get(sizeKib)?.pages ?? 0) + (node.pools.get(sizeKib)?.surplus ?? 0),
        missing: Math.max(0, -spare.get(sizeKib)!),
        reachableKib: node.freeKib + node.reclaimableKib,
      })),
    );
  }

  /** Named nodes; else those of the guest's CPUs; else the one that has most, or all where none has enough. */
  #choose(demand: MemoryDemand, sizeKib: number, pages: number): readonly NodeRoom[] {
    if (demand.nodes !== null) return this.#rooms.filter(({ node }) => demand.nodes!.includes(node.id));
    const usable = this.#rooms.filter(({ node }) => node.totalKib > 0 && node.cpus.length > 0);
    const near = usable.filter(({ node }) => node.cpus.some((cpu) => demand.cpus.includes(cpu)));
    if (near.length > 0) return near;
    // A node that is only memory is slow, or belongs to a card: taken where somebody names it, or where there is no other
    const all = usable.length > 0 ? usable : this.#rooms;
    const likely = (room: NodeRoom) => mostPages(room, sizeKib, room.reachableKib);
    const best = [...all].sort((a, b) => likely(b) - likely(a))[0];
    return best !== undefined && likely(best) >= pages ? [best] : all;
  }
}

/** How many pages a node could give, if so much memory could be turned into pages. */
function mostPages({ node, spare }: NodeRoom, sizeKib: number, ofKib: number): number {
  if (!node.pools.has(sizeKib)) return 0;
  return Math.max(0, spare.get(sizeKib)!) + Math.floor(Math.max(0, ofKib) / sizeKib);
}

function take(room: NodeRoom, sizeKib: number, pages: number): void {
  if (pages === 0) return;
  const before = room.spare.get(sizeKib)!;
  const added = pages - Math.min(pages, Math.max(0, before));
  room.spare.set(sizeKib, before - pages);
  room.taken.set(sizeKib, (room.taken.get(sizeKib) ?? 0) + pages);
  room.unpooledKib -= added * sizeKib;
  room.reachableKib -= added * sizeKib;
}

/** Divides pages as evenly as the nodes allow; gives fewer in all where they cannot hold them. */
function spread(pages: number, most: readonly number[]): number[] {
  const given = most.map(() => 0);
  let left = pages;
  for (;;) {
    const open = [...given.keys()].filter((at) => given[at]! < most[at]!);
    if (left === 0 || open.length === 0) return given;
    const share = Math.max(1, Math.floor(left / open.length));
    for (const at of open) {
      const more = Math.min(share, most[at]! - given[at]!, left);
      given[at]! += more;
      left -= more;
    }
  }
}

function impossible(
  demand: MemoryDemand,
  sizeKib: number,
  pages: number,
  rooms: readonly NodeRoom[],
): Refusal {
  const nodes = `${rooms.length === 1 ? 'node' : 'nodes'} ${formatCpuList(rooms.map(({ node }) => node.id))}`;
  const total = sum(rooms.map(({ node }) => node.totalKib));
  const most = sum(rooms.map((room) => mostPages(room, sizeKib, room.unpooledKib)));
  const size = formatKib(sizeKib);
  return {
    id: 'memory-impossible',
    summary: `Cannot place ${demand.what} on ${nodes}: it needs ${pages} pages of ${size}, ${most} is the most there can be (${formatKib(total)} in all, without what is in huge pages already and taken)`,
    remedy:
      'Give the guest less memory or more nodes of the host (<numatune>, or nodes in the profile’s [memory]), or stop a guest that has huge pages there',
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
