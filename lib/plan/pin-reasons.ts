import type { Topology } from '../host/topology.ts';
import { type CpuSet, formatCpuList, intersectionOf, parseCpuList, sameCpus } from '../words/cpu-list.ts';
import { formatKib } from '../words/size.ts';
import type { PinCore } from './pin-cores.ts';
import { l3Sizes } from './pin-places.ts';
import type { PinInput, Pinning } from './pinning.ts';

interface Known {
  readonly told: boolean;
  readonly isHybrid: boolean;
  readonly cores: readonly PinCore[];
  readonly nearNodes: readonly number[];
}

/** Why the proposal is as it is, a sentence each, for the person who has to believe it. */
export function explainPin(pinning: Omit<Pinning, 'reasons'>, input: PinInput, known: Known): string[] {
  return [
    placeReason(pinning, input.topology, known),
    ...coreReasons(pinning, input, known),
    ...deviceReasons(pinning, input, known),
    ...takenReasons(input),
    ...bootReasons(pinning, input.topology),
    besideReason(pinning, known),
  ];
}

function placeReason(
  { vcpus, guest, place, nodes }: Omit<Pinning, 'reasons'>,
  topology: Topology,
  { cores, isHybrid }: Known,
): string {
  const kind = isHybrid ? 'performance ' : '';
  const head = `${count(vcpus.length, 'vCPU')} on ${count(cores.length, `${kind}core`)}, ${cpuWords(guest)}`;
  if (place.level === 'l3') {
    const size = l3Sizes(topology).get(place.id!);
    return `${head}: they share one L3 cache${size === undefined ? '' : ` of ${formatKib(size)}`}.`;
  }
  if (place.level === 'node') {
    const several = new Set(cores.map(({ l3 }) => l3)).size;
    const caches = cores.some(({ l3 }) => l3 === null) || several < 2 ? '' : `, below ${several} L3 caches`;
    return `${head}: all on NUMA node ${place.id}${caches}.`;
  }
  return nodes.length > 1
    ? `${head}: no single node holds that many, so they lie on nodes ${formatCpuList(nodes)}; give the guest a NUMA topology of its own.`
    : `${head}.`;
}

function coreReasons(
  { vcpus, guest, threads, host }: Omit<Pinning, 'reasons'>,
  { wish, topology }: PinInput,
  { told, cores }: Known,
): string[] {
  const idle = guest.length - vcpus.length;
  const most = Math.max(...cores.map(({ cpus }) => cpus.length));
  return [
    ...(told ? [] : ['The machine does not tell which CPUs share a core, so each counts as one of its own.']),
    ...(threads > 1 ? [`The guest gets whole cores, ${threads} threads each, and should be told so.`] : []),
    ...(wish.smt === 'spread' && most > 1
      ? ['One vCPU a core: the other threads belong to the guest and stay idle.']
      : []),
    ...(wish.smt === 'keep' && idle > 0
      ? [
          `The last core is not filled: ${count(idle, 'thread')} of it stay idle, because a core is never shared with the host.`,
        ]
      : []),
    ...(wish.smt === 'keep' && idle === 0 && threads === 1 && most > 1
      ? ['The cores have unequal numbers of threads, so the guest is told of none.']
      : []),
    `The host keeps ${cpuWords(host)}, its first core among them, where the kernel does what it cannot do elsewhere${topology.cpus.some(({ kind }) => kind === 'efficiency') ? ', and the efficiency cores' : ''}.`,
  ];
}

function deviceReasons(
  { nodes }: Omit<Pinning, 'reasons'>,
  { wish: { device }, topology }: PinInput,
  { nearNodes }: Known,
): string[] {
  if (device === null) return [];
  const { address, node } = device;
  if (node === null) {
    return topology.nodes.length > 1
      ? [`${address} does not tell its NUMA node, so it decided nothing.`]
      : [];
  }
  if (nodes.length === 1 && nodes[0] === node) return [`${address} is on node ${node} too.`];
  if (nearNodes.includes(node))
    return [`${address} is on node ${node}, which has not room enough: its traffic crosses nodes.`];
  const nearest = nodes.length > 0 && nodes.every((one) => nearNodes.includes(one));
  return [
    `${address} is on node ${node}, which has no CPUs to give${nearest ? `; node ${nodes.join(', ')} is the nearest that has` : ''}.`,
  ];
}

function takenReasons({ taken }: PinInput): string[] {
  return [...taken].map(([guest, cpus]) => `Guest ${guest} has ${cpuWords(cpus)}.`);
}

/** What the kernel was told at boot, compared with the proposal. */
function bootReasons({ guest }: Omit<Pinning, 'reasons'>, topology: Topology): string[] {
  return (
    [
      ['isolcpus', topology.isolated],
      ['nohz_full', topology.nohzFull],
    ] as const
  ).flatMap(([name, list]) => {
    const cpus = parseCpuList(list) ?? [];
    if (cpus.length === 0) return [];
    if (sameCpus(cpus, guest)) return [`The kernel was booted with ${name}=${list}, which fits.`];
    return [
      `The kernel was booted with ${name}=${list}; of these the guest gets ${formatCpuList(intersectionOf(cpus, guest)) || 'none'}.`,
    ];
  });
}

function besideReason({ emulator, iothread }: Omit<Pinning, 'reasons'>, { cores }: Known): string {
  const same = sameCpus(emulator, iothread);
  const kind = cores.some(({ kind }) => kind === 'performance')
    ? ' (efficiency cores where there are any)'
    : '';
  return same
    ? `The emulator and I/O threads share ${cpuWords(emulator)} with the host.`
    : `The emulator runs on ${cpuWords(emulator)} and I/O threads on ${cpuWords(iothread)}, beside the guest and with the host${kind}.`;
}

function cpuWords(cpus: CpuSet): string {
  return `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${formatCpuList(cpus)}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
