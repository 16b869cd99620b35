import { threadPins } from '../inputs/guest-cpus.ts';
import { formatCpuList, intersectionOf, parseCpuList, unionOf, without } from '../words/cpu-list.ts';
import { type Check, fail, ok, unknown, warn } from './check.ts';
import { onlineOf, vcpuPins, withPins } from './pinned.ts';

/** Whether the guest’s CPUs are well chosen. */
export const PINNED_CPU_CHECKS: readonly Check[] = [
  {
    id: 'cpus.isolation-pins',
    title: 'Set apart CPUs are those of the guest',
    meaning:
      'CPUs set apart at boot are lost to the host for good; a guest pinned elsewhere has no use for them.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const isolated = parseCpuList(checkup.topology.isolated) ?? [];
        if (isolated.length === 0) return ok('No CPUs are set apart at boot');
        const outside = without(pins, isolated);
        return outside.length === 0
          ? ok('The guest’s CPUs are set apart at boot')
          : warn(
              `The guest runs on ${formatCpuList(outside)}, set apart are ${formatCpuList(isolated)}`,
              `Pin the guest to ${formatCpuList(isolated)}, or change isolcpus= on the kernel’s command line`,
            );
      }),
  },
  {
    id: 'cpus.pins-online',
    title: 'The guest’s CPUs are there',
    meaning: 'A thread pinned to a CPU that is offline or does not exist keeps the guest from starting.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const gone = without(pins, onlineOf(checkup));
        return gone.length === 0
          ? ok('Every CPU of the guest is online')
          : fail(
              `The guest is pinned to ${formatCpuList(gone)}, not online on this host`,
              'passqemu pin proposes CPUs of this machine; correct <cputune> or guest = in the profile',
            );
      }),
  },
  {
    id: 'cpus.whole-cores',
    title: 'The guest has whole cores',
    meaning:
      'Two threads of one core share its caches and units: a guest on one and the host on the other slow each other down and can spy on each other.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const split = checkup.topology.cpus.flatMap(({ id, siblings, online }) => {
          const core = parseCpuList(siblings ?? '') ?? [];
          return online && pins.includes(id) ? without(core, pins) : [];
        });
        return split.length === 0
          ? ok('The guest has whole cores')
          : warn(
              `The host keeps ${formatCpuList(unionOf(split))}, the other ${split.length === 1 ? 'thread' : 'threads'} of the guest’s cores`,
              `Give the guest ${formatCpuList(unionOf(pins, split))}, or drop the halves (passqemu pin proposes whole cores)`,
            );
      }),
  },
  {
    id: 'cpus.one-node',
    title: 'The guest’s CPUs are on one node',
    meaning:
      'Memory of another NUMA node is slower by half; a guest that spans nodes must know of them (<numa> cells bound by <numatune>).',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const nodes = [
          ...new Set(checkup.topology.cpus.filter(({ id }) => pins.includes(id)).map(({ node }) => node)),
        ];
        if (nodes.includes(null)) return unknown('the CPUs do not tell their NUMA node');
        return nodes.length < 2 || (checkup.guest?.domain?.cells.length ?? 0) > 1
          ? ok(
              nodes.length < 2
                ? `The guest’s CPUs are on node ${nodes[0] ?? 0}`
                : 'The guest spans nodes and has cells of its own',
            )
          : warn(
              `The guest’s CPUs are on the nodes ${nodes.join(', ')}`,
              'Take CPUs of one node (passqemu pin), or give the guest <numa> cells and bind them',
            );
      }),
  },
  {
    id: 'cpus.device-node',
    title: 'Devices on the guest’s node',
    meaning: 'A device of another NUMA node reaches the guest’s memory over the link between the sockets.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const nodes = new Set(
          checkup.topology.cpus.filter(({ id }) => pins.includes(id)).map(({ node }) => node),
        );
        const tree = 'unseen' in checkup.functions ? null : checkup.functions.value;
        const far = (checkup.guest?.domain?.functions ?? []).flatMap(({ address }) => {
          const node = tree?.get(address)?.node ?? null;
          return node === null || nodes.has(node) ? [] : [`${address} (node ${node})`];
        });
        return far.length === 0
          ? ok('No device of the guest is known to be on another node')
          : warn(
              `${far.join(', ')} ${far.length === 1 ? 'is' : 'are'} on another node than the guest’s CPUs`,
              'passqemu pin --device ADDRESS proposes CPUs of the device’s node; or move the card to a slot of the other processor',
            );
      }),
  },
  {
    id: 'cpus.one-cache',
    title: 'The guest’s CPUs share a cache',
    meaning:
      'On processors with several level 3 caches (AMD CCX) threads of one guest talk through memory where they could through the cache.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const used = checkup.topology.cpus.filter(({ id }) => pins.includes(id));
        const caches = [...new Set(used.map(({ l3 }) => l3))];
        if (caches.includes(null)) return unknown('the CPUs do not tell their level 3 cache');
        const sizes = caches.map((l3) => checkup.topology.cpus.filter((cpu) => cpu.l3 === l3).length);
        return caches.length < 2 || pins.length > Math.max(...sizes)
          ? ok(
              caches.length < 2
                ? 'The guest’s CPUs share one level 3 cache'
                : 'The guest is larger than one level 3 cache serves',
            )
          : warn(
              `The guest’s ${pins.length} CPUs are spread over ${caches.length} level 3 caches, one would serve them`,
              'Take CPUs of one cache (passqemu topology shows them, passqemu pin proposes)',
            );
      }),
  },
  {
    id: 'cpus.one-kind',
    title: 'The guest’s CPUs are of one kind',
    meaning: 'A guest cannot tell performance from efficiency cores: it gives any thread to the slow ones.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const kinds = new Set(
          checkup.topology.cpus.filter(({ id }) => pins.includes(id)).map(({ kind }) => kind),
        );
        return kinds.size < 2
          ? ok('The guest’s CPUs are of one kind')
          : warn(
              'The guest has performance and efficiency cores',
              `Take performance cores only: ${formatCpuList(checkup.topology.cpus.filter(({ kind }) => kind === 'performance').map(({ id }) => id))}; leave the others to the emulator and the host`,
            );
      }),
  },
  {
    id: 'cpus.emulator-apart',
    title: 'QEMU’s own threads beside the vCPUs',
    meaning: 'QEMU’s emulator and I/O threads interrupt a vCPU that shares its CPU with them.',
    judge: (checkup) =>
      withPins(checkup, (pins) => {
        const emulator = threadPins(checkup.guest?.domain ?? null).get('the emulator') ?? null;
        if (emulator === null)
          return warn(
            'The emulator is pinned nowhere, so it runs among the vCPUs',
            `<emulatorpin cpuset="${formatCpuList(without(onlineOf(checkup), pins)).split(',')[0]}"/> in <cputune>: CPUs of the host`,
          );
        const shared = intersectionOf(emulator, vcpuPins(checkup));
        return shared.length === 0
          ? ok('The emulator has CPUs of its own')
          : warn(
              `The emulator shares ${formatCpuList(shared)} with vCPUs`,
              `Give it CPUs of the host: <emulatorpin cpuset="${formatCpuList(without(onlineOf(checkup), pins)).split(',')[0]}"/>`,
            );
      }),
  },
];
