import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaxesParser } from 'saxes';
import { readTopologyReport, type TopologyReport } from '../../../launchers/topology-report.ts';
import { formatTopologySvg } from '../../../launchers/topology-svg.ts';
import { formatTopology } from '../../../launchers/topology-text.ts';
import { readVcpuThreads } from '../../../lib/host/vcpu-threads.ts';
import { addCpus } from '../../fake/cpu-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { makeTopology, SHAPES, type Shape } from '../../fake/topologies.ts';

function reportOf(shape: Shape, guests: Record<string, string> | null = {}): TopologyReport {
  const list =
    guests === null ? null : Object.entries(guests).map(([guest, cpus]) => ({ guest, cpus, vcpus: [] }));
  return { ...makeTopology(shape), guests: list };
}

test('formatTopology() draws nodes, caches and cores, and who has which', () => {
  const report = reportOf({ ...SHAPES.server, isolated: [3] }, { win11: '4-5,36-37', 'b\x1b[2J': '6' });
  const [head, ...lines] = formatTopology(report, false, 100).split('\n');
  assert.equal(head, '1 package, 32 cores, 64 CPUs online');
  assert.deepEqual(lines.slice(0, 6), [
    '',
    'Node 0  CPUs 0-7,32-39, 16.0 GiB, distance 12 to node 2, 32 to node 4, 32 to node 6, 17 to node 9',
    '  Package 0, L3 cache 0 of 16 MiB',
    '    [ 0 32]  [ 1 33]  [ 2 34]  [ 3 35]!',
    '  Package 0, L3 cache 1 of 16 MiB',
    '    [ 4 36]A [ 5 37]A [ 6 38]B [ 7 39]',
  ]);
  assert.deepEqual(lines.slice(-5), [
    'Node 9  no CPUs, 16.0 GiB, distance 17 to node 0, 28 to node 2, 28 to node 4, 14 to node 6',
    '',
    'A guest win11, CPUs 4-5,36-37',
    'B guest b [2J, CPUs 6',
    '! isolated by the kernel command line (isolcpus): 3',
  ]);
});

test('formatTopology() fits the terminal, and says what cannot be seen', () => {
  const text = formatTopology(reportOf(SHAPES.hybrid, null), false, 40);
  assert.ok(
    text
      .split('\n')
      .filter((line) => line.startsWith('    ['))
      .every((line) => line.length <= 40),
    text,
  );
  assert.match(text, /performance cores\n/);
  assert.match(text, /cannot be seen: run it as root$/);
});

test('formatTopology() says nothing that a machine does not tell', () => {
  assert.equal(
    formatTopology(reportOf(SHAPES.silent), false),
    '1 package, 4 CPUs online\n\nOn no node that is told\n    [0]  [1]  [2]  [3]',
  );
});

test('formatTopologySvg() is well-formed for every machine, holds each CPU once, and no text of others is markup', () => {
  for (const shape of Object.values(SHAPES)) {
    const report = reportOf(shape, { '<script>alert(1)</script>&"': '0', many: '1' });
    const svg = formatTopologySvg(report);
    const numbers: string[] = [];
    const names = new Set<string>();
    let isNumber = false;
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => {
      names.add(name);
      isNumber = attributes.class === 'number';
    });
    parser.on('text', (text) => void (isNumber && text.trim() !== '' && numbers.push(text)));
    parser.on('error', (error) => assert.fail(error.message));
    parser.write(svg).close();
    assert.deepEqual([...names].sort(), ['desc', 'rect', 'style', 'svg', 'text', 'title']);
    const online = report.cpus.filter((cpu) => cpu.online).map(({ id }) => id);
    assert.deepEqual(
      numbers.map((text) => Number.parseInt(text, 10)).sort((a, b) => a - b),
      online,
    );
    assert.ok(numbers.includes('0 A'));
  }
});

function addQemu(host: FakeHost, pid: number, guest: string, cpus: readonly string[]): void {
  host.put(`/proc/${pid}/cmdline`, `/usr/bin/qemu-system-x86_64\0-name\0guest=${guest},debug-threads=on\0`);
  host.put(`/proc/${pid}/task/${pid}/comm`, 'qemu-system-x86\n');
  for (const [vcpu, list] of cpus.entries()) {
    host.put(`/proc/${pid}/task/${pid + 1 + vcpu}/comm`, `CPU ${vcpu}/KVM\n`);
    host.put(`/proc/${pid}/task/${pid + 1 + vcpu}/status`, `Name:\tCPU\nCpus_allowed_list:\t${list}\n`);
  }
}

test('readVcpuThreads() reads where the vCPUs of running guests may run', () => {
  const host = new FakeHost();
  addQemu(host, 700, 'win11', ['2', '3,5']);
  host.put('/proc/800/cmdline', '/usr/bin/vim\0');
  assert.deepEqual(readVcpuThreads(host), [
    {
      guest: 'win11',
      vcpus: [
        { vcpu: 0, cpus: '2' },
        { vcpu: 1, cpus: '3,5' },
      ],
    },
  ]);
});

test('readTopologyReport() tells which guest has which CPU: pinned ones, not those that may run anywhere', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-3' });
  addQemu(host, 700, 'pinned', ['2', '3']);
  addQemu(host, 720, 'loose', ['0-3', '0-3']);
  assert.deepEqual(readTopologyReport(host, '/run/passqemu').guests, [
    {
      guest: 'pinned',
      cpus: '2-3',
      vcpus: [
        { vcpu: 0, cpus: '2' },
        { vcpu: 1, cpus: '3' },
      ],
    },
  ]);
});

test('readTopologyReport() takes the summary where the journals cannot be read, and else says that it does not know', () => {
  const host = new FakeHost();
  addCpus(host, { online: '0-3' });
  host.put('/run/passqemu/win11.jsonl', '{"this is": "no journal"}\n');
  assert.equal(readTopologyReport(host, '/run/passqemu').guests, null);
  const summary = { guests: [{ guest: 'win11', uuid: null, cpus: '2-3', steps: [] }] };
  host.put('/run/passqemu/summary.json', JSON.stringify(summary));
  assert.deepEqual(readTopologyReport(host, '/run/passqemu').guests, [
    { guest: 'win11', cpus: '2-3', vcpus: [] },
  ]);
});
