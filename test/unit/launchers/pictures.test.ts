import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathsOf } from '../../../launchers/device-paths.ts';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import { formatDevices } from '../../../launchers/devices-text.ts';
import { formatDevicesTree } from '../../../launchers/devices-tree.ts';
import { describePinning, formatPinning } from '../../../launchers/pin-text.ts';
import type { TopologyReport } from '../../../launchers/topology-report.ts';
import { formatTopologySvg } from '../../../launchers/topology-svg.ts';
import { formatTopology } from '../../../launchers/topology-text.ts';
import { planPin } from '../../../lib/plan/pin.ts';
import { putMounts } from '../../fake/device-model.ts';
import { labMachine } from '../../fake/lab-machine.ts';
import { makeTopology, SHAPES } from '../../fake/topologies.ts';

const DOCS = new URL('../../../docs/', import.meta.url);

const topology: TopologyReport = {
  ...makeTopology(SHAPES.stacked),
  guests: [
    { guest: 'win11', cpus: '4-7,20-23', vcpus: [] },
    { guest: 'build', cpus: '12-15,28-31', vcpus: [] },
  ],
};

/** What the tools say of the machines of our tests, for docs/machine.md. */
const OUTPUTS: Readonly<Record<string, () => string>> = {
  devices: () => {
    const machine = labMachine();
    putMounts(machine, '259:0 / /srv ext4 /dev/nvme0n1');
    const report = readDevicesReport(machine, '/run/passqemu');
    const groups = report.groups.filter(({ id }) => [11, 12, 13, 14].includes(id));
    const shown = new Set(groups.flatMap(({ addresses }) => addresses));
    return formatDevices(
      { ...report, groups, devices: report.devices.filter(({ address }) => shown.has(address)) },
      false,
      pathsOf(report.devices),
    );
  },
  tree: () => {
    const machine = labMachine();
    putMounts(machine, '259:0 / /srv ext4 /dev/nvme0n1');
    return formatDevicesTree(readDevicesReport(machine, '/run/passqemu'), null, false);
  },
  topology: () => formatTopology(topology, false),
  pin: () => {
    const wish = { vcpus: 8, smt: 'keep', largeCache: true, device: null } as const;
    return formatPinning(describePinning(planPin({ topology, wish, taken: new Map() }), 'AuthenticAMD'));
  },
};

function keep(file: string, expected: string): void {
  const url = new URL(file, DOCS);
  if (process.env.UPDATE === '1') writeFileSync(url, expected);
  else assert.equal(readFileSync(url, 'utf8'), expected, `UPDATE=1 writes docs/${file}`);
}

test('docs/machine.md shows what the tools print', () => {
  const text = readFileSync(new URL('machine.md', DOCS), 'utf8');
  const expected = text.replace(
    /(<!-- output:(\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, begin: string, name: string, end: string) => `${begin}\`\`\`\n${OUTPUTS[name]!()}\n\`\`\`\n${end}`,
  );
  keep('machine.md', expected);
  const shown = [...text.matchAll(/<!-- output:(\w+) -->/g)].map(([, name]) => name);
  assert.deepEqual(shown, Object.keys(OUTPUTS));
});

test('docs/pictures/topology.svg is what topology --svg writes', () => {
  keep('pictures/topology.svg', `${formatTopologySvg(topology)}\n`);
});

test('the pictures that docs/machine.md shows are there', () => {
  const text = readFileSync(new URL('machine.md', DOCS), 'utf8');
  for (const [, file = ''] of text.matchAll(/\]\((pictures\/[\w.-]+)\)/g))
    assert.ok(existsSync(new URL(file, DOCS)), file);
});
