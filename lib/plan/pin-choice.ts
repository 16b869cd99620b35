import type { PinCore } from './pin-cores.ts';
import type { PinPlace } from './pin-places.ts';

/** What is to be placed: how many vCPUs (null: as many as fit one place), and how many cores may be taken at most. */
export interface PinDemand {
  readonly vcpus: number | null;
  readonly smt: 'keep' | 'spread';
  readonly mostCores: number;
  /** The core that stays with the host: its neighbours are the second choice. */
  readonly hostCore: PinCore;
  /** The nodes that are preferred, the nearest first: one, or several at the same distance; empty for none. */
  readonly nearNodes: readonly number[];
  /** How far nodes are from this one, by their numbers. */
  distancesFrom(node: number): ReadonlyMap<number, number>;
}

/** The place and the cores in it that serve the demand best, or null where no place can. */
export function choosePlace(
  places: readonly PinPlace[],
  demand: PinDemand,
): { place: PinPlace; cores: readonly PinCore[] } | null {
  const near = places.filter(({ level, cores }) => level !== 'machine' && isNear(cores, demand));
  for (const candidates of [near, places]) {
    for (const level of ['l3', 'node', 'machine'] as const) {
      const served = candidates
        .filter((place) => place.level === level)
        .flatMap((place) => {
          const cores = serve(place, demand);
          return cores === null ? [] : [{ place, cores }];
        })
        .sort((a, b) => compare(a, b, demand));
      if (served[0] !== undefined) return served[0];
    }
  }
  return null;
}

/** How many vCPUs these cores hold. */
export function capacityOf(cores: readonly PinCore[], smt: PinDemand['smt']): number {
  return smt === 'spread' ? cores.length : cores.reduce((sum, { cpus }) => sum + cpus.length, 0);
}

function isNear(cores: readonly PinCore[], { nearNodes }: PinDemand): boolean {
  return cores.length > 0 && cores.every(({ node }) => node !== null && nearNodes.includes(node));
}

/** The cores of the place that the guest would get, or null where they are too few. */
function serve(place: PinPlace, demand: PinDemand): readonly PinCore[] | null {
  const { vcpus, smt, mostCores } = demand;
  const order = place.level === 'machine' ? byNeighbourhood(place.cores, demand) : byWorth(place.cores);
  const chosen: PinCore[] = [];
  for (const core of order) {
    if (chosen.length === mostCores) break;
    if (vcpus !== null && capacityOf(chosen, smt) >= vcpus) break;
    chosen.push(core);
  }
  if (chosen.length === 0 || (vcpus !== null && capacityOf(chosen, smt) < vcpus)) return null;
  // A guest of several nodes has its vCPUs node by node
  const places = place.level === 'machine' ? chosen.map(placeKey) : [];
  return chosen.sort(
    (a, b) => places.indexOf(placeKey(a)) - places.indexOf(placeKey(b)) || a.cpus[0]! - b.cpus[0]!,
  );
}

/** What the kernel keeps free already, then cores with more threads, then high numbers: the host keeps the low ones. */
function byWorth(cores: readonly PinCore[]): PinCore[] {
  return [...cores].sort(
    (a, b) =>
      Number(b.isolated) - Number(a.isolated) || b.cpus.length - a.cpus.length || b.cpus[0]! - a.cpus[0]!,
  );
}

/** Node by node, the nearest first, and cache by cache, so that a guest too large for one place covers few. */
function byNeighbourhood(cores: readonly PinCore[], { nearNodes, distancesFrom }: PinDemand): PinCore[] {
  const sizes = new Map<unknown, number>();
  const grow = (key: unknown) => sizes.set(key, (sizes.get(key) ?? 0) + 1);
  for (const core of cores) {
    grow(core.node);
    grow(placeKey(core));
  }
  const size = (key: unknown) => sizes.get(key) ?? 0;
  const known = cores.flatMap(({ node }) => (node === null ? [] : [node]));
  const start = nearNodes[0] ?? known.sort((a, b) => size(b) - size(a) || a - b)[0];
  const distances = start === undefined ? new Map<number, number>() : distancesFrom(start);
  const far = ({ node }: PinCore) => (node === null ? Number.MAX_SAFE_INTEGER : (distances.get(node) ?? 255));
  return byWorth(cores).sort(
    (a, b) =>
      far(a) - far(b) ||
      size(b.node) - size(a.node) ||
      (a.node ?? 0) - (b.node ?? 0) ||
      size(placeKey(b)) - size(placeKey(a)) ||
      (a.l3 ?? 0) - (b.l3 ?? 0),
  );
}

function placeKey({ node, l3 }: PinCore): string {
  return `${node} ${l3}`;
}

type Served = { readonly place: PinPlace; readonly cores: readonly PinCore[] };

/**
 * Isolated CPUs first; with a number of vCPUs, places without the host's core and then the tightest fit, so that large
 * places stay whole for other guests; without one, the largest.
 */
function compare(a: Served, b: Served, { vcpus, smt, hostCore, mostCores }: PinDemand): number {
  const isolated = (one: Served) => one.cores.filter((core) => core.isolated).length;
  const room = ({ place }: Served) => Math.min(mostCores, place.cores.length);
  const withHost = ({ place: { level, id } }: Served) =>
    Number(level !== 'machine' && hostCore[level] === id && id !== null);
  const size = (one: Served) => capacityOf(one.place.cores, smt);
  const largest = vcpus === null ? room(b) - room(a) || size(b) - size(a) : 0;
  return (
    isolated(b) - isolated(a) ||
    largest ||
    withHost(a) - withHost(b) ||
    size(a) - size(b) ||
    a.cores[0]!.cpus[0]! - b.cores[0]!.cpus[0]!
  );
}
