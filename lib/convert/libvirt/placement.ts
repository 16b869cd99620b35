import { type CpuSet, formatCpuList, parseCpuList, unionOf } from '../../words/cpu-list.ts';
import { sizeText } from '../size-text.ts';
import { vcpuCountOf } from '../vcpu-count.ts';
import type { Reading, Writing } from './parts.ts';
import { type XmlElement, xml } from './xml-writer.ts';

/** The number of an iothread in libvirt, by the name that the profile's disks use: "io2" is 2, others get what is free. */
export function iothreadIds({ source, dropList }: Writing): ReadonlyMap<string, number> {
  const names = new Set<string>();
  for (const section of source.sections('disk')) {
    const name = source.peek(section, 'iothread');
    if (name !== null) names.add(name);
  }
  const ids = new Map<string, number>();
  for (const name of names) if (/^io[1-9]\d{0,2}$/.test(name)) ids.set(name, Number(name.slice(2)));
  for (const name of names) {
    if (ids.has(name)) continue;
    let id = 1;
    while ([...ids.values()].includes(id)) id++;
    ids.set(name, id);
    for (const section of source.sections('disk'))
      if (source.peek(section, 'iothread') === name)
        dropList.add(`[${section}] iothread = ${name}`, `libvirt numbers them: it is ${id}`);
    if (source.peek('cpu', 'iothreads') !== null)
      dropList.add('[cpu] iothreads', `libvirt numbers them: ${name} is ${id}`);
  }
  return ids;
}

/** vCPUs, iothreads, where they run, and where the memory lies. */
export function writePlacement(writing: Writing): readonly (XmlElement | null)[] {
  const { source } = writing;
  const ids = iothreadIds(writing);
  return [
    xml('memory', { unit: 'KiB' }, String(memoryKibOf(writing))),
    memoryBackingOf(writing),
    xml('vcpu', { placement: 'static' }, String(vcpuCountOf(source))),
    ids.size === 0 ? null : xml('iothreads', {}, String(ids.size)),
    ids.size === 0
      ? null
      : xml(
          'iothreadids',
          {},
          [...ids.values()].sort((a, b) => a - b).map((id) => xml('iothread', { id })),
        ),
    cputuneOf(writing, ids),
    numatuneOf(writing),
  ];
}

function memoryKibOf({ source }: Writing): number {
  const cells = source.sections('numa').map((section) => source.kib(section, 'memory') ?? 0);
  const said = source.kib('machine', 'memory');
  if (said !== null) return said;
  if (cells.length > 0) return cells.reduce((sum, kib) => sum + kib, 0);
  const ofPages = nodesOf(source.peek('memory', 'nodes')).reduce((sum, { kib }) => sum + kib, 0);
  return source.kib('memory', 'size') ?? (ofPages > 0 ? ofPages : 4 * 1024 ** 2);
}

function memoryBackingOf({ source, dropList }: Writing): XmlElement | null {
  const page = source.peek('memory', 'hugepages');
  const isHuge = page !== null && page !== 'off';
  const backend = source.text('machine', 'memory-backend');
  if (!isHuge && backend === 'file') dropList.add('[machine] memory-backend', 'only huge pages need it');
  const prealloc = source.said('machine', 'prealloc');
  const threads = source.said('machine', 'prealloc-threads');
  const isImmediate = prealloc === 'yes' || (threads !== null && prealloc === null);
  if (threads !== null && prealloc === 'no') dropList.add('[machine] prealloc-threads', 'prealloc is no');
  const isShared = source.sections('share').length > 0;
  const inside = [
    isHuge
      ? xml('hugepages', {}, [xml('page', { size: source.kib('memory', 'hugepages'), unit: 'KiB' })])
      : null,
    source.yes('machine', 'memory-lock') ? xml('locked') : null,
    (isHuge && backend === 'memfd') || isShared
      ? xml('source', { type: backend === 'file' && isHuge ? 'file' : 'memfd' })
      : null,
    isShared ? xml('access', { mode: 'shared' }) : null,
    isImmediate || prealloc === 'no'
      ? xml('allocation', {
          mode: isImmediate ? 'immediate' : 'ondemand',
          threads: isImmediate ? threads : null,
        })
      : null,
  ];
  return inside.every((one) => one === null) ? null : xml('memoryBacking', {}, inside);
}

function cputuneOf({ source, dropList }: Writing, ids: ReadonlyMap<string, number>): XmlElement | null {
  const pins = (source.said('cpu', 'pins') ?? '').split(/\s+/).filter((set) => set !== '');
  const emulator = source.said('cpu', 'emulator');
  const iothreads = (source.said('cpu', 'iothreads') ?? '').split(/\s+/).filter((one) => one !== '');
  const realTime = source.text('cpu', 'real-time');
  const priority = source.text('cpu', 'real-time-priority');
  if (source.said('cpu', 'whole-process') !== null)
    dropList.add('[cpu] whole-process', 'libvirt places threads, not whole processes: say pins and emulator');
  if (realTime === 'no' && source.said('cpu', 'real-time-priority') !== null)
    dropList.add('[cpu] real-time-priority', 'no vCPU is real-time');
  const scheduler = realTime === 'fifo' ? 'fifo' : realTime === 'round-robin' ? 'rr' : null;
  const inside = [
    ...pins.map((cpuset, vcpu) => xml('vcpupin', { vcpu, cpuset })),
    emulator === null ? null : xml('emulatorpin', { cpuset: emulator }),
    ...iothreads.map((pin) => {
      const [name = '', cpuset = ''] = pin.split(':');
      return xml('iothreadpin', { iothread: ids.get(name) ?? null, cpuset });
    }),
    scheduler === null
      ? null
      : xml('vcpusched', {
          vcpus: formatCpuList([...Array(vcpuCountOf(source)).keys()]),
          scheduler,
          priority,
        }),
  ];
  return inside.every((one) => one === null) ? null : xml('cputune', {}, inside);
}

function numatuneOf({ source }: Writing): XmlElement | null {
  const cells = source.sections('numa').flatMap((section, cellid) => {
    const nodes = source.text(section, 'host-nodes');
    return nodes === null ? [] : [xml('memnode', { cellid, mode: 'strict', nodeset: nodes })];
  });
  const nodes = nodesOf(source.peek('memory', 'nodes')).map(({ node }) => node);
  const whole = nodes.length === 0 ? [] : [xml('memory', { mode: 'strict', nodeset: formatCpuList(nodes) })];
  return cells.length + whole.length === 0 ? null : xml('numatune', {}, [...whole, ...cells]);
}

/** "0:8G 1:8G" */
function nodesOf(text: string | null): { readonly node: number; readonly kib: number }[] {
  return (text ?? '').split(/[\s,]+/).flatMap((part) => {
    const match = /^(\d+):(\d+)([KMGT])/i.exec(part);
    if (match === null) return [];
    return [
      { node: Number(match[1]), kib: Number(match[2]) * 1024 ** 'KMGT'.indexOf(match[3]!.toUpperCase()) },
    ];
  });
}

/** Reads the same; what the metadata has said of host memory is there before this. */
export function readPlacement(reading: Reading): void {
  const { root, domain, draft } = reading;
  for (const name of ['iothreads', 'iothreadids']) root.one(name)?.settle();
  readPins(reading);
  const backing = root.one('memoryBacking');
  const isHuge = domain.hugepages !== null;
  const source = backing?.one('source')?.attribute('type') ?? null;
  if (isHuge) draft.put('machine', 'memory-backend', source === 'memfd' ? 'memfd' : 'file');
  if (isHuge && draft.get('memory', 'hugepages') === null) readPages(reading);
  backing?.one('hugepages')?.settle();
  if (backing?.one('locked') != null) draft.put('machine', 'memory-lock', 'yes');
  const allocation = backing?.one('allocation') ?? null;
  const mode = allocation?.attribute('mode') ?? null;
  const threads = allocation?.attribute('threads') ?? null;
  draft.put('machine', 'prealloc-threads', threads);
  if (mode !== null && threads === null)
    draft.put('machine', 'prealloc', mode === 'immediate' ? 'yes' : 'no');
  // Shared folders ask for it, passqemu run shares memory where there are any
  if (root.one('devices')?.one('filesystem') != null) backing?.one('access')?.settle();
  readNodes(reading);
}

function readPages({ domain, draft, dropList }: Reading): void {
  const [page, ...more] = domain.hugepages ?? [];
  draft.put('memory', 'hugepages', page === undefined ? '2M' : sizeText(page.sizeKib ?? 2048));
  if (page === undefined)
    dropList.add(
      '/domain/memoryBacking/hugepages without a size',
      'taken as 2M, which is the host’s default as a rule',
    );
  if (more.length > 0 || page?.nodeset != null)
    dropList.add(
      '/domain/memoryBacking/hugepages by nodeset',
      'all of the guest’s memory has pages of one size',
    );
}

function readPins({ root, domain, draft, dropList }: Reading): void {
  const tune = root.one('cputune');
  const count = domain.vcpus ?? 1;
  const pins = [...Array(count).keys()].map((vcpu) => domain.vcpuPins.get(vcpu) ?? domain.vcpuSet);
  if (pins.every((pin) => pin !== null))
    draft.put('cpu', 'pins', (pins as CpuSet[]).map(formatCpuList).join(' '));
  else if (domain.vcpuPins.size > 0) {
    dropList.add('/domain/cputune/vcpupin', 'only some vCPUs are pinned; pins places all or none');
    if (draft.get('cpu', 'guest') === null)
      draft.put('cpu', 'guest', formatCpuList(unionOf(...domain.vcpuPins.values())));
  }
  if (domain.emulatorPin !== null) draft.put('cpu', 'emulator', formatCpuList(domain.emulatorPin));
  if (domain.iothreadPins.size > 0)
    draft.put(
      'cpu',
      'iothreads',
      [...domain.iothreadPins].map(([id, cpus]) => `io${id}:${formatCpuList(cpus)}`).join(' '),
    );
  for (const name of ['vcpupin', 'emulatorpin', 'iothreadpin'])
    for (const pin of tune?.all(name) ?? []) pin.settle();
  const [sched, ...others] = tune?.all('vcpusched') ?? [];
  if (sched === undefined) return;
  const which = parseCpuList(sched.attribute('vcpus') ?? '') ?? [];
  const scheduler = { fifo: 'fifo', rr: 'round-robin' }[sched.attribute('scheduler') ?? ''];
  if (others.length > 0 || which.length !== count || scheduler === undefined) {
    dropList.add(
      `${sched.path} (${sched.attribute('scheduler') ?? ''})`,
      'real-time is for all vCPUs, fifo or round-robin',
    );
    for (const one of others) one.settle();
  } else draft.put('cpu', 'real-time', scheduler);
  if (draft.get('cpu', 'real-time') !== null)
    draft.put('cpu', 'real-time-priority', sched.attribute('priority'));
}

function readNodes({ root, domain, draft, dropList }: Reading): void {
  const tune = root.one('numatune');
  const isSaid = draft.get('memory', 'nodes') !== null;
  for (const [index, cell] of domain.cells.entries()) {
    const section = `numa ${index}`;
    if (cell.cpus.length === 0) continue;
    draft.put(section, 'vcpus', formatCpuList(cell.cpus));
    draft.put(section, 'memory', sizeText(cell.memoryKib));
    const nodes = domain.cellNodes.get(cell.id) ?? (isSaid ? null : domain.memoryNodes);
    if (nodes != null) draft.put(section, 'host-nodes', formatCpuList(nodes));
  }
  if (domain.cells.length > 0) draft.remove('machine', 'memory');
  const [node, ...more] = domain.memoryNodes ?? [];
  if (domain.cells.length === 0 && !isSaid && node !== undefined && domain.memoryKib !== null) {
    if (more.length === 0) draft.put('memory', 'nodes', `${node}:${sizeText(domain.memoryKib)}`);
    else
      dropList.add('/domain/numatune/memory', 'the profile says how much lies on which node: [memory] nodes');
  }
  for (const memory of [...(tune?.all('memory') ?? []), ...(tune?.all('memnode') ?? [])]) {
    const mode = memory.attribute('mode') ?? 'strict';
    if (mode !== 'strict') dropList.add(`${memory.path}/@mode=${mode}`, 'memory is bound to its nodes');
    memory.settle();
  }
}
