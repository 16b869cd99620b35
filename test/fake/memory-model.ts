import { HostError } from '../../lib/words/errors.ts';
import type { FakeHost } from './fake-host.ts';

/** A node of the fake machine. Sizes in KiB; pools by page size in KiB. */
export interface FakeNode {
  readonly id: number;
  readonly cpus: string;
  readonly totalKib: number;
  /** Free memory, of which `scatteredKib` cannot become huge pages before somebody compacts. */
  freeKib: number;
  scatteredKib?: number;
  /** Memory in caches: free after drop_caches. */
  cachesKib?: number;
  /** Pages of 1 GiB that can be found in one piece while the host runs. */
  giganticPages?: number;
  readonly pools: Record<number, FakePool>;
}

/** Lasting and surplus pages, and how many of both a process has. */
export interface FakePool {
  pages: number;
  surplus?: number;
  used?: number;
}

interface Model {
  readonly nodes: readonly FakeNode[];
  readonly numa: boolean;
  readonly reserved: Map<number, number>;
  readonly mapped: Map<number, readonly MappedPages[]>;
}

/** Huge pages that a QEMU has of one node. */
export interface MappedPages {
  readonly node: number;
  readonly sizeKib: number;
  readonly pages: number;
}

const ALL = '/sys/kernel/mm/hugepages';
const NODES = '/sys/devices/system/node';
const models = new WeakMap<FakeHost['tree'], Model>();

/** Puts the memory of a machine; writes to it are answered as by set_max_huge_pages() of Linux 6.1 and 6.12. */
export function addMemory(host: FakeHost, nodes: readonly FakeNode[], about: { numa?: boolean } = {}): void {
  const numa = about.numa ?? true;
  models.set(host.tree, {
    nodes: structuredClone(nodes) as FakeNode[],
    numa,
    reserved: new Map(),
    mapped: new Map(),
  });
  host.put('/proc/sys/vm/compact_memory', '', 0o200);
  host.put('/proc/sys/vm/drop_caches', '0\n');
  if (numa) for (const { id } of nodes) host.put(`${NODES}/node${id}/compact`, '', 0o200);
  host.onWrite(/^\/sys\/.*\/hugepages-\d+kB\/nr_hugepages$/, writePool);
  host.onWrite(
    /^(?:\/proc\/sys\/vm\/compact_memory|\/sys\/devices\/system\/node\/node\d+\/compact)$/,
    compact,
  );
  host.onWrite('/proc/sys/vm/drop_caches', dropCaches);
  show(host);
}

/** What the pool is now, without counting as a call. */
export function poolOf(host: FakeHost, node: number, sizeKib: number): Required<FakePool> & { free: number } {
  const pool = nodeOf(host, node).pools[sizeKib]!;
  return { pages: pool.pages, surplus: pool.surplus ?? 0, used: pool.used ?? 0, free: free(pool) };
}

/** Sets the pool as an admin does who writes a number of pages. */
export function setPool(host: FakeHost, node: number, sizeKib: number, pages: number): void {
  resize(modelOf(host), nodeOf(host, node), sizeKib, pages);
  show(host);
}

/** Pages that somebody has reserved (mapped without touching them). */
export function reservePages(host: FakeHost, sizeKib: number, pages: number): void {
  modelOf(host).reserved.set(sizeKib, pages);
  show(host);
}

/** Starts a QEMU that maps these pages, reserved or not; too few of them is a fault of the test. */
export function startQemu(host: FakeHost, guest: string, wanted: readonly MappedPages[]): number {
  const pid = host.spawnProcess(['/usr/bin/qemu-system-x86_64', '-name', `guest=${guest},debug-threads=on`]);
  for (const { node, sizeKib, pages } of wanted) {
    const pool = nodeOf(host, node).pools[sizeKib]!;
    if (free(pool) < pages) throw new Error(`${guest} finds ${free(pool)} of ${pages} pages on node ${node}`);
    pool.used = (pool.used ?? 0) + pages;
  }
  const mappedKib = wanted.reduce((sum, { sizeKib, pages }) => sum + sizeKib * pages, 0);
  host.put(
    `/proc/${pid}/status`,
    `Name:\tqemu-system-x86\nHugetlbPages:\t${String(mappedKib).padStart(8)} kB\nThreads:\t4\n`,
  );
  modelOf(host).mapped.set(pid, wanted);
  show(host);
  return pid;
}

/** Ends it: its pages are free again, those that are surplus leave the pool. `keepsPages`: it is a zombie of which the kernel has yet to free the memory. */
export function endQemu(host: FakeHost, pid: number, keepsPages = false): void {
  host.endProcess(pid);
  if (!keepsPages) freePages(host, pid);
}

/** Frees what an ended QEMU had. */
export function freePages(host: FakeHost, pid: number): void {
  const model = modelOf(host);
  for (const { node, sizeKib, pages } of model.mapped.get(pid) ?? []) {
    const owner = nodeOf(host, node);
    const pool = owner.pools[sizeKib]!;
    const leaving = Math.min(pages, pool.surplus ?? 0);
    pool.used = (pool.used ?? 0) - pages;
    pool.surplus = (pool.surplus ?? 0) - leaving;
    owner.freeKib += leaving * sizeKib;
  }
  model.mapped.delete(pid);
  show(host);
}

/** A target, best effort, success whatever comes of it. Per node, or for all nodes by the global file. */
function writePool(path: string, text: string, host: FakeHost): void {
  if (!/^\d+\n?$/.test(text)) throw new HostError(`Cannot write ${path}: EINVAL`, { code: 'EINVAL', path });
  const sizeKib = Number(/hugepages-(\d+)kB/.exec(path)![1]);
  const node = Number(/\/node(\d+)\//.exec(path)?.[1] ?? 0);
  resize(modelOf(host), nodeOf(host, node), sizeKib, Number(text));
  show(host);
}

function resize(model: Model, node: FakeNode, sizeKib: number, target: number): void {
  const pool = node.pools[sizeKib]!;
  pool.surplus ??= 0;
  // Growing takes pages out of surplus first; those are in use and make none free
  const kept = Math.min(pool.surplus, Math.max(0, target - pool.pages));
  pool.pages += kept;
  pool.surplus -= kept;
  while (pool.pages < target && takeMemory(node, sizeKib)) pool.pages++;
  // Shrinking frees no more than leaves enough for what is used and reserved on the whole machine
  const pools = model.nodes.flatMap(({ pools: all }) => all[sizeKib] ?? []);
  const total = (of: (one: FakePool) => number) => pools.reduce((sum, one) => sum + of(one), 0);
  const lasting = total((one) => one.pages);
  const least = Math.max(
    lasting - pool.pages + target,
    total((one) => one.used ?? 0) + (model.reserved.get(sizeKib) ?? 0),
  );
  for (let left = lasting; left > least && free(pool) > 0 && pool.pages > 0; left--) {
    pool.pages--;
    node.freeKib += sizeKib;
    if (sizeKib >= 1_048_576) node.giganticPages = (node.giganticPages ?? 0) + 1;
  }
  // What is still too much becomes surplus: it leaves when its user frees it
  const rest = Math.max(0, pool.pages - target);
  pool.pages -= rest;
  pool.surplus += rest;
}

function takeMemory(node: FakeNode, sizeKib: number): boolean {
  if (sizeKib >= 1_048_576) {
    if ((node.giganticPages ?? 0) === 0 || node.freeKib < sizeKib) return false;
    node.giganticPages!--;
  } else if (node.freeKib - (node.scatteredKib ?? 0) < sizeKib) return false;
  node.freeKib -= sizeKib;
  return true;
}

/** 6.12 takes nothing but 1. */
function compact(path: string, text: string, host: FakeHost): void {
  if (text.trimEnd() !== '1') throw new HostError(`Cannot write ${path}: EINVAL`, { code: 'EINVAL', path });
  const only = /node(\d+)/.exec(path)?.[1];
  for (const node of modelOf(host).nodes) {
    if (only === undefined || node.id === Number(only)) node.scatteredKib = 0;
  }
}

function dropCaches(path: string, text: string, host: FakeHost): void {
  if (!/^[1-4]\n?$/.test(text)) throw new HostError(`Cannot write ${path}: EINVAL`, { code: 'EINVAL', path });
  for (const node of modelOf(host).nodes) {
    node.freeKib += node.cachesKib ?? 0;
    node.cachesKib = 0;
  }
  show(host);
}

function show(host: FakeHost): void {
  const { nodes, numa, reserved } = modelOf(host);
  const sizes = [...new Set(nodes.flatMap(({ pools }) => Object.keys(pools).map(Number)))];
  for (const sizeKib of sizes) {
    const pools = nodes.map((node) => node.pools[sizeKib]!);
    putPool(host, `${ALL}/hugepages-${sizeKib}kB`, pools);
    host.put(`${ALL}/hugepages-${sizeKib}kB/resv_hugepages`, `${reserved.get(sizeKib) ?? 0}\n`);
  }
  host.put('/proc/meminfo', `${meminfo(nodes, '')}HugePages_Total: 0\nHugepagesize:       2048 kB\n`);
  if (!numa) return;
  for (const node of nodes) {
    host.put(`${NODES}/node${node.id}/cpulist`, `${node.cpus}\n`);
    host.put(`${NODES}/node${node.id}/meminfo`, meminfo([node], `Node ${node.id} `));
    for (const [sizeKib, pool] of Object.entries(node.pools)) {
      putPool(host, `${NODES}/node${node.id}/hugepages/hugepages-${sizeKib}kB`, [pool]);
    }
  }
}

function putPool(host: FakeHost, folder: string, pools: readonly FakePool[]): void {
  const total = (of: (pool: FakePool) => number) => pools.reduce((sum, pool) => sum + of(pool), 0);
  host.put(`${folder}/nr_hugepages`, `${total((pool) => pool.pages + (pool.surplus ?? 0))}\n`);
  host.put(`${folder}/free_hugepages`, `${total(free)}\n`, 0o444);
  host.put(`${folder}/surplus_hugepages`, `${total((pool) => pool.surplus ?? 0)}\n`, 0o444);
}

function meminfo(nodes: readonly FakeNode[], prefix: string): string {
  const line = (name: string, of: (node: FakeNode) => number) =>
    `${prefix}${`${name}:`.padEnd(16)}${String(nodes.reduce((sum, node) => sum + of(node), 0)).padStart(12)} kB\n`;
  return (
    line('MemTotal', (node) => node.totalKib) +
    line('MemFree', (node) => node.freeKib) +
    line('Active(file)', (node) => node.cachesKib ?? 0)
  );
}

function free(pool: FakePool): number {
  return pool.pages + (pool.surplus ?? 0) - (pool.used ?? 0);
}

function nodeOf(host: FakeHost, id: number): FakeNode {
  const node = modelOf(host).nodes.find((one) => one.id === id);
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
}

function modelOf(host: FakeHost): Model {
  const model = models.get(host.tree);
  if (model === undefined) throw new Error('addMemory() first');
  return model;
}
