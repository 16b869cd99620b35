import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readDevicesReport } from '../../launchers/devices-report.ts';
import { readTopologyReport } from '../../launchers/topology-report.ts';
import type { Host } from '../../lib/host/host.ts';
import { RealHost } from '../../lib/host/real-host.ts';
import { formatCpuList, formatCpuMask } from '../../lib/words/cpu-list.ts';
import type { Measured } from './measured.ts';
import { median, ratioOf } from './ratio.ts';
import { type HostSize, syntheticAddress, writeSyntheticHost } from './synthetic-host.ts';

const SIZES: readonly HostSize[] = [
  { cpus: 16, functions: 64 },
  { cpus: 128, functions: 512 },
  { cpus: 1024, functions: 4096 },
];
const ROUNDS = 5;
const WARM_UP = 3;
/** What measuring itself is off by: ratios of equal work lie within it. */
const NOISE = 1.1;
const MEMORY = '/dev/shm';

/** How `devices` and `topology` grow from one machine to one eight times as large, and what they take beside lspci and lscpu. */
export function measureReading(checkout: string): Measured[] {
  const folder = mkdtempSync(path.join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'passqemu-reading-'));
  try {
    const roots = SIZES.map((size) => {
      const root = path.join(folder, `${size.functions}`);
      writeSyntheticHost(root, size);
      for (let at = 0; at < size.functions; at++) putConfig(root, at);
      putProcessors(root, size.cpus);
      return root;
    });
    return [...measureGrowth(roots), ...measureTools(checkout, roots[1]!)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const READERS: readonly (readonly [string, (host: Host) => unknown])[] = [
  ['devices', (host) => readDevicesReport(host, '/run/passqemu')],
  ['topology', (host) => readTopologyReport(host, '/run/passqemu')],
];

function measureGrowth(roots: readonly string[]): Measured[] {
  return READERS.flatMap(([name, read]) =>
    roots.slice(1).map((large, at): Measured => {
      const [before, after] = [SIZES[at]!, SIZES[at + 1]!];
      const pairs = Array.from({ length: ROUNDS + WARM_UP }, (): [number, number] => [
        processorMs(roots[at]!, read),
        processorMs(large, read),
      ]).slice(WARM_UP);
      return {
        what: `${name} of ${after.functions} functions and ${after.cpus} CPUs, to ${before.functions} and ${before.cpus}`,
        ratio: ratioOf(pairs),
        bound: (after.functions / before.functions) * NOISE,
        note: `${median(pairs.map(([ms]) => ms)).toFixed(0)} → ${median(pairs.map(([, ms]) => ms)).toFixed(0)} ms`,
      };
    }),
  );
}

function processorMs(root: string, read: (host: Host) => unknown): number {
  const host = new RealHost(root, () => {});
  const begun = process.cpuUsage();
  read(host);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** The same tree by the usual tools; told, not bounded: they look at less, and their time has no node in it. */
function measureTools(checkout: string, root: string): Measured[] {
  const ours = path.join(checkout, 'dist', 'passqemu');
  const pairs: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'devices, to lspci -nnk',
      ['lspci', '-nnk', '-A', 'linux-sysfs', '-O', `sysfs.path=${root}/sys/bus/pci`],
      ['devices'],
    ],
    ['topology, to lscpu', ['lscpu', '--sysroot', root], ['topology']],
  ];
  return pairs.flatMap(([what, tool, words]) => {
    if (spawnSync(tool[0]!, ['--version']).error !== undefined) return [];
    const times = Array.from({ length: ROUNDS }, (): [number, number] => [
      wallMs(tool),
      wallMs([process.execPath, ours, ...words, '--sysroot', root]),
    ]);
    const [theirs, mine] = [median(times.map(([ms]) => ms)), median(times.map(([, ms]) => ms))];
    const start = median(times.map(() => wallMs([process.execPath, '-e', '0'])));
    const note = `${theirs.toFixed(0)} → ${mine.toFixed(0)} ms, of which \`node -e 0\` ${start.toFixed(0)} ms`;
    return [{ what: `${what}, 512 functions and 128 CPUs`, ratio: ratioOf(times), bound: null, note }];
  });
}

function wallMs(argv: readonly string[]): number {
  const begun = performance.now();
  const { status, error } = spawnSync(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'ignore'] });
  if (error !== undefined || status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
  return performance.now() - begun;
}

/** What lspci reads of each function and our readers do not: the header of its configuration space. */
function putConfig(root: string, at: number): void {
  const folder = `${root}/sys/bus/pci/devices/${syntheticAddress(at)}`;
  const config = Buffer.alloc(64);
  config.writeUInt16LE(0x15b3, 0);
  config.writeUInt16LE(0x1000 + (at % 4), 2);
  writeFileSync(`${folder}/config`, config);
  writeFileSync(`${folder}/irq`, '0\n');
}

/** What topology is read from, by us and by lscpu: two threads a core, 64 CPUs a node, packages as nodes, one L3 cache each. */
function putProcessors(root: string, count: number): void {
  const folder = `${root}/sys/devices/system/cpu`;
  const cpuinfo = Array.from(
    { length: count },
    (_, cpu) => `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\n\n`,
  );
  writeFileSync(`${root}/proc/cpuinfo`, cpuinfo.join(''));
  writeFileSync(`${folder}/kernel_max`, '8191\n');
  for (let cpu = 0; cpu < count; cpu++) {
    const core = [cpu & ~1, cpu | 1];
    const node = Math.floor(cpu / 64);
    const near = Array.from({ length: Math.min(64, count) }, (_, at) => node * 64 + at);
    putFiles(`${folder}/cpu${cpu}/topology`, {
      physical_package_id: `${node}`,
      core_id: `${cpu >> 1}`,
      core_cpus_list: formatCpuList(core),
      thread_siblings: formatCpuMask(core),
      core_siblings: formatCpuMask(near),
    });
    putFiles(`${folder}/cpu${cpu}/cache/index3`, {
      level: '3',
      type: 'Unified',
      size: '32768K',
      id: `${node}`,
      shared_cpu_list: formatCpuList(near),
      shared_cpu_map: formatCpuMask(near),
    });
    if (cpu % 64 === 0)
      putFiles(`${root}/sys/devices/system/node/node${node}`, { cpumap: formatCpuMask(near) });
  }
}

function putFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, `${text}\n`);
}
