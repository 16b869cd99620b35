import type { Topology } from '../host/topology.ts';
import { type CpuSet, unionOf, without } from '../words/cpu-list.ts';
import { RefusedError } from '../words/errors.ts';
import { chooseBeside } from './pin-beside.ts';
import { capacityOf, choosePlace } from './pin-choice.ts';
import { coresOf, cpusOf, type PinCore } from './pin-cores.ts';
import { distancesFrom, l3Sizes, type PinPlace, placesOf, richCaches } from './pin-places.ts';
import { explainPin } from './pin-reasons.ts';
import type { PinInput, Pinning, PinWish } from './pinning.ts';

/** Proposes which CPUs a guest should get, by the rules of docs/pinning.md. RefusedError where the machine cannot serve it. */
export function planPin(input: PinInput): Pinning {
  const { topology, wish } = input;
  const { cores, told } = coresOf(topology);
  const taken = unionOf(...input.taken.values());
  const free = cores.filter(({ cpus }) => without(cpus, taken).length === cpus.length);
  const hostCore = free[0];
  if (hostCore === undefined || free.length < 2) {
    throw refuse(wish.vcpus ?? 1, 'the host must keep one core, and there is no other', null);
  }
  const reserve = hostCores(cores.length);
  const isHybrid = ['performance', 'efficiency'].every((kind) => cores.some((core) => core.kind === kind));
  const usable = free.filter((core) => core !== hostCore && (!isHybrid || core.kind === 'performance'));
  const mostCores = Math.max(0, free.length - reserve);
  const wanted = wish.largeCache ? onlyRich(usable, topology) : usable;
  const places = placesOf(wanted);
  const nearNodes = nearest(wish.device?.node ?? null, topology, wanted);
  const chosen = choosePlace(wish.largeCache ? places.filter(({ level }) => level === 'l3') : places, {
    ...wish,
    mostCores,
    hostCore,
    nearNodes,
    distancesFrom: (node) => distancesFrom(topology, node),
  });
  if (chosen === null) {
    const most = Math.max(...places.map((place) => capacityIn(place, wish.smt, mostCores)), 0);
    const kind = isHybrid ? ' performance' : '';
    throw refuse(
      wish.vcpus ?? 1,
      `the${kind} cores${wish.largeCache ? ' below the large cache' : ''} hold ${most} beside the host${input.taken.size > 0 ? ' and other guests' : ''}`,
      most,
    );
  }
  const guest = cpusOf(chosen.cores);
  const vcpus = place(chosen.cores, wish);
  const threads = guestThreads(chosen.cores, vcpus.length, wish.smt);
  const rest = cores.filter((core) => free.includes(core) && !chosen.cores.includes(core));
  const beside = chooseBeside(rest, chosen.cores, hostCore);
  const nodes = [...new Set(chosen.cores.flatMap(({ node }) => (node === null ? [] : [node])))].sort(
    (a, b) => a - b,
  );
  const pinning = {
    vcpus,
    guest,
    host: without(cpusOf(cores), unionOf(guest, taken)),
    ...beside,
    place: chosen.place,
    nodes,
    cores: vcpus.length / threads,
    threads,
  };
  return {
    ...pinning,
    reasons: explainPin(pinning, input, { told, isHybrid, cores: chosen.cores, nearNodes }),
  };
}

/** How many cores stay with the host and with what runs beside the guest: one, from eight on two. */
export function hostCores(cores: number): number {
  return cores >= 8 ? 2 : 1;
}

function refuse(vcpus: number, why: string, most: number | null): RefusedError {
  const summary = `Cannot place ${vcpus} vCPU${vcpus === 1 ? '' : 's'}: ${why}`;
  return new RefusedError(
    summary,
    [],
    most === null || most === 0 ? undefined : `--vcpus ${most} is the most that can be proposed`,
  );
}

function onlyRich(cores: readonly PinCore[], topology: Topology): PinCore[] {
  const sizes = l3Sizes(topology);
  const rich = richCaches(sizes);
  if (rich.length > 0) return cores.filter(({ l3 }) => l3 !== null && rich.includes(l3));
  throw new RefusedError(
    `Cannot choose a large cache: ${sizes.size === 0 ? 'the machine tells of no level 3 cache' : 'no level 3 cache of this machine is rich beside the others'}`,
    [],
    'Leave --large-cache out',
  );
}

/** The device's node if it has cores to give, else those that are nearest to it. */
function nearest(node: number | null, topology: Topology, cores: readonly PinCore[]): number[] {
  if (node === null) return [];
  const distances = distancesFrom(topology, node);
  const candidates = [...new Set(cores.flatMap((core) => (core.node === null ? [] : [core.node])))];
  const least = Math.min(...candidates.map((one) => distances.get(one) ?? 255));
  return candidates.filter((one) => (distances.get(one) ?? 255) === least);
}

function capacityIn({ cores }: PinPlace, smt: PinWish['smt'], mostCores: number): number {
  const best = [...cores].sort((a, b) => b.cpus.length - a.cpus.length).slice(0, mostCores);
  return capacityOf(best, smt);
}

/** Core by core, threads of a core next to each other: as the guest's own topology counts them. */
function place(cores: readonly PinCore[], { vcpus, smt }: PinWish): CpuSet {
  const order = smt === 'spread' ? cores.map(({ cpus }) => cpus[0]!) : cores.flatMap(({ cpus }) => cpus);
  return order.slice(0, vcpus ?? order.length);
}

/** Threads that the guest may be told of: what every core has, if the vCPUs fill them. */
function guestThreads(cores: readonly PinCore[], vcpus: number, smt: PinWish['smt']): number {
  const threads = cores[0]!.cpus.length;
  if (smt === 'spread' || cores.some(({ cpus }) => cpus.length !== threads)) return 1;
  return vcpus === threads * cores.length ? threads : 1;
}
