import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DevicesReport, readDevicesReport } from '../../launchers/devices-report.ts';
import { readFindings } from '../../launchers/doctor-findings.ts';
import { readTopologyReport } from '../../launchers/topology-report.ts';
import { RecordedHost } from '../../lib/host/recorded-host.ts';
import { unpackSnapshot } from '../../lib/host/snapshot-archive.ts';
import type { Topology } from '../../lib/host/topology.ts';
import { planPin } from '../../lib/plan/pin.ts';
import { formatCpuList, parseCpuList } from '../../lib/words/cpu-list.ts';
import { RefusedError } from '../../lib/words/errors.ts';
import type { PciAddress } from '../../lib/words/pci-address.ts';
import { FakeHost } from '../fake/fake-host.ts';

/** What QEMU was told of the machine. */
interface Expected {
  readonly packages: number;
  readonly cores: number;
  readonly threads: number;
  readonly siblings: readonly string[];
  readonly dies: readonly string[];
  readonly l3: readonly string[];
  readonly offline: string;
  readonly isolated: string;
  readonly nohzFull: string | null;
  /** `pool2MiB` is the number of pages of 2 MiB, where it was told. */
  readonly nodes: readonly {
    id: number;
    cpus: string;
    memoryMiB: number;
    distances: readonly number[];
    pool2MiB?: number;
  }[];
  readonly devices: Readonly<Record<string, string>>;
  readonly parents: Readonly<Record<string, string>>;
  readonly nodeOf: Readonly<Record<string, number>>;
  readonly groups: readonly (readonly string[])[];
  readonly usb: readonly string[];
  /** Where so many vCPUs beside this device must lie; null where the machine has no room for a guest. */
  readonly pin: { readonly device: string | null; readonly vcpus: number; readonly node: number } | null;
  /** Checks of doctor by id, and what they must find. */
  readonly doctor: Readonly<Record<string, string>>;
}

const FOLDER = join(import.meta.dirname, '..', 'machines');
const NAMES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test('there are recorded machines', () => {
  assert.ok(NAMES.length > 0);
});

for (const name of NAMES) {
  const expected = JSON.parse(readFileSync(join(FOLDER, name, 'expected.json'), 'utf8')) as Expected;
  const machine = async () => {
    const packed = readFileSync(join(FOLDER, name, 'machine.tar.gz'));
    return new RecordedHost(name, await unpackSnapshot(name, packed), new FakeHost());
  };

  test(`${name}: processors and nodes are what QEMU was told`, async () => {
    const topology = readTopologyReport(await machine(), '/run/passqemu');
    const { packages, cores, threads, siblings, dies, l3, offline, isolated, nohzFull } = expected;
    assert.deepEqual(
      {
        packages: topology.packages,
        cores: topology.cores,
        threads: topology.threads,
        siblings: sets(topology, (cpu) => cpu.siblings),
        dies: sets(topology, (cpu) => `${cpu.package} ${cpu.die}`),
        l3: sets(topology, (cpu) => cpu.l3),
        offline: formatCpuList(topology.cpus.filter(({ online }) => !online).map(({ id }) => id)),
        isolated: topology.isolated,
        nohzFull: topology.nohzFull,
      },
      { packages, cores, threads, siblings, dies, l3, offline, isolated, nohzFull },
    );
    assert.deepEqual(
      topology.nodes.map(({ id, cpus, distances }) => ({ id, cpus, distances })),
      expected.nodes.map(({ id, cpus, distances }) => ({ id, cpus, distances })),
    );
    // The kernel keeps some of it for itself
    for (const [at, { memoryMiB, pool2MiB }] of expected.nodes.entries()) {
      const { memoryKiB, hugepages } = topology.nodes[at]!;
      const told = (memoryKiB ?? 0) / 1024;
      assert.ok(told <= memoryMiB && told >= memoryMiB * 0.8, `node ${at} has ${told} of ${memoryMiB} MiB`);
      const pool = hugepages.find(({ sizeKiB }) => sizeKiB === 2048)?.total;
      if (pool2MiB !== undefined) assert.equal(pool, pool2MiB, `pages of node ${at}`);
    }
  });

  test(`${name}: functions, groups and USB devices are what QEMU was told`, async () => {
    const report = readDevicesReport(await machine(), '/run/passqemu');
    const { devices, parents, nodeOf, groups, usb } = expected;
    const told = <T>(keys: object, of: (device: DevicesReport['devices'][number]) => T) =>
      Object.fromEntries(
        Object.keys(keys).map((address) => [
          address,
          of(report.devices.find((one) => one.address === address)!),
        ]),
      );
    assert.deepEqual(
      told(devices, ({ vendorId, deviceId }) => `${vendorId}:${deviceId}`),
      devices,
    );
    assert.deepEqual(
      told(parents, ({ parent }) => parent),
      parents,
    );
    assert.deepEqual(
      told(nodeOf, ({ node }) => node),
      nodeOf,
    );
    for (const group of groups)
      assert.deepEqual(
        report.groups.find(({ addresses }) => addresses.includes(group[0] as PciAddress))?.addresses,
        group,
      );
    const hanging = report.devices.flatMap((one) =>
      (one.usb ?? []).flatMap((bus) => bus.devices.map(({ id }) => id)),
    );
    assert.deepEqual(hanging.sort(), usb);
  });

  test(`${name}: pins lie on the device's node, whole cores that nobody else has`, async () => {
    const topology = readTopologyReport(await machine(), '/run/passqemu');
    const propose = (vcpus: number, device: { address: PciAddress; node: number } | null) =>
      planPin({ topology, taken: new Map(), wish: { vcpus, smt: 'keep', largeCache: false, device } });
    if (expected.pin === null) {
      assert.throws(() => propose(1, null), RefusedError);
      return;
    }
    const { device, vcpus, node } = expected.pin;
    const { nodes, vcpus: places } = propose(
      vcpus,
      device === null ? null : { address: device as PciAddress, node },
    );
    assert.deepEqual(nodes, [node]);
    const cores = expected.siblings.map((core) => parseCpuList(core)!);
    const touched = cores.filter((core) => core.some((cpu) => places.includes(cpu)));
    assert.equal(places.length, vcpus);
    assert.ok(places.every((cpu) => parseCpuList(expected.nodes[node]!.cpus)!.includes(cpu)));
    assert.ok(!touched.includes(cores[0]!), 'the first core is the host’s');
    assert.equal(touched.length, Math.ceil(vcpus / touched[0]!.length));
  });

  test(`${name}: doctor finds what QEMU was told`, async () => {
    const places = { host: await machine(), configDir: '/etc/passqemu', stateDir: '/run/passqemu' };
    const findings = await readFindings(places, null, true);
    const found = Object.keys(expected.doctor).map((id) => [
      id,
      findings.find((one) => one.id === id)?.status,
    ]);
    assert.deepEqual(Object.fromEntries(found), expected.doctor);
  });
}

/** The CPUs that are online by what they share, as lists in order. */
function sets(
  topology: Topology,
  keyOf: (cpu: Topology['cpus'][number]) => string | number | null,
): string[] {
  const groups = new Map<unknown, number[]>();
  for (const cpu of topology.cpus.filter(({ online }) => online))
    groups.set(keyOf(cpu), [...(groups.get(keyOf(cpu)) ?? []), cpu.id]);
  return [...groups.values()].map(formatCpuList).sort((a, b) => parseCpuList(a)![0]! - parseCpuList(b)![0]!);
}
