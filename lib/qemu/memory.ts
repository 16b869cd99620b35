import { vcpuCount } from '../inputs/check-run-profile.ts';
import { memoryKibOf } from '../inputs/run-host-half.ts';
import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import { option, type PropertyValue } from './option.ts';
import type { RunBuild } from './run-build.ts';

/** One memory node of the guest. */
interface Cell {
  readonly vcpus: CpuSet;
  readonly sizeKib: number;
  readonly hostNodes: CpuSet | null;
}

/** More threads than that bring nothing. */
const MOST_PREALLOC_THREADS = 16;

/** The guest's memory and its nodes; gives the object that is all of it, or null where there are nodes. */
export function addMemory(build: RunBuild): string | null {
  const { whole, run } = build;
  const sizeKib = memoryKibOf(whole);
  const cells = cellsOf(build);
  build.add('-m', option('', { size: `${sizeKib}k` }));
  if (whole.host.memory.hugepageKib !== null && whole.host.memory.hugepageKib > 0)
    checkPages(build, cells, sizeKib);
  if (cells.length === 0) {
    const bound = whole.host.memory.nodes?.length === 1 ? [whole.host.memory.nodes[0]!.node] : null;
    addBackend(build, 'ram', sizeKib, bound);
    return 'ram';
  }
  for (const [index, { vcpus, sizeKib: own, hostNodes }] of cells.entries()) {
    addBackend(build, `ram${index}`, own, hostNodes);
    const words = formatCpuList(vcpus)
      .split(',')
      .filter((part) => part !== '')
      .map((part) => `cpus=${part}`);
    build.add('-numa', ['node', `nodeid=${index}`, ...words, `memdev=ram${index}`].join(','));
  }
  const used = run.numa.length;
  if (used === 0)
    build.notes.push(
      `The guest gets ${cells.length} memory nodes, with the vCPUs divided evenly; [numa …] says it otherwise`,
    );
  return null;
}

/** The nodes that the profile describes, else one for each of several nodes that its memory comes from. */
function cellsOf({ whole, run }: RunBuild): readonly Cell[] {
  if (run.numa.length > 0)
    return run.numa.map(({ vcpus, memory, hostNodes }) => ({
      vcpus: vcpus ?? [],
      sizeKib: memory ?? 0,
      hostNodes,
    }));
  const nodes = whole.host.memory.nodes ?? [];
  if (nodes.length < 2) return [];
  const count = vcpuCount(run);
  return nodes.map(({ node, sizeKib }, index) => {
    const first = Math.floor((count * index) / nodes.length);
    const next = Math.floor((count * (index + 1)) / nodes.length);
    return { vcpus: Array.from({ length: next - first }, (_, at) => first + at), sizeKib, hostNodes: [node] };
  });
}

function addBackend(build: RunBuild, id: string, sizeKib: number, hostNodes: CpuSet | null): void {
  const { whole, run } = build;
  const pageKib = whole.host.memory.hugepageKib ?? 0;
  const isHuge = pageKib > 0;
  const prealloc = run.machine.prealloc ?? (isHuge || run.machine.memoryLock);
  const threads = run.machine.preallocThreads ?? Math.min(vcpuCount(run), MOST_PREALLOC_THREADS);
  // virtiofsd sees the guest's memory by a descriptor of it
  const share = run.machine.memoryShare || run.shares.length > 0;
  const common: Record<string, PropertyValue> = {
    id,
    size: `${sizeKib}k`,
    share: share || null,
    prealloc: prealloc || null,
    'prealloc-threads': prealloc ? threads : null,
  };
  const policy = hostNodes === null ? null : 'bind';
  if (!isHuge && !share) addObject(build, 'memory-backend-ram', common, hostNodes, policy);
  else if (isHuge && run.machine.memoryBackend === 'file') {
    addObject(
      build,
      'memory-backend-file',
      { ...common, 'mem-path': hugetlbfsOf(build, pageKib), 'discard-data': true },
      hostNodes,
      policy,
    );
  } else {
    const huge = isHuge ? { hugetlb: true, hugetlbsize: `${pageKib}k` } : {};
    addObject(build, 'memory-backend-memfd', { ...common, share: true, ...huge }, hostNodes, policy);
  }
}

/** "host-nodes" is a list: a key of its own for each range. */
function addObject(
  build: RunBuild,
  type: string,
  properties: Readonly<Record<string, PropertyValue>>,
  hostNodes: CpuSet | null,
  policy: string | null,
): void {
  if (!build.qemu.objects.has(type)) build.refuseLack(`the object ${type}`);
  const nodes = hostNodes === null ? [] : formatCpuList(hostNodes).split(',');
  const words = [option(type, properties), ...nodes.map((range) => `host-nodes=${range}`)];
  if (policy !== null) words.push(`policy=${policy}`);
  build.add('-object', words.join(','));
}

/** A folder that is no hugetlbfs would be taken without a word, and be no huge pages. */
function hugetlbfsOf(build: RunBuild, pageKib: number): string {
  const mounted = build.picture.hugetlbfs.get(pageKib) ?? null;
  const asked = build.run.machine.memoryPath;
  const isMounted =
    asked === null ||
    [...build.picture.hugetlbfs].some(
      ([size, path]) => size === pageKib && (asked === path || asked.startsWith(`${path}/`)),
    );
  if (mounted === null || !isMounted) {
    build.refuse(
      'no-hugetlbfs',
      `Cannot take memory from ${asked ?? 'a hugetlbfs'}: there is no hugetlbfs of ${pageKib} KiB pages mounted there`,
      'Leave memory-backend out, which needs no mount, or mount one',
    );
  }
  return asked ?? mounted ?? '/dev/hugepages';
}

function checkPages(build: RunBuild, cells: readonly Cell[], sizeKib: number): void {
  const pageKib = build.whole.host.memory.hugepageKib!;
  const sizes = cells.length === 0 ? [sizeKib] : cells.map((cell) => cell.sizeKib);
  if (sizes.every((size) => size % pageKib === 0)) return;
  build.refuse(
    'odd-memory',
    `Cannot back the memory of ${build.run.guest} with pages of ${pageKib} KiB: it is no multiple of them`,
    'Round memory to whole pages, or take smaller pages',
  );
}
