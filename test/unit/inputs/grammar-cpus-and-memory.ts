import fc from 'fast-check';
import type { Domain } from '../../../lib/inputs/domain.ts';
import type { CpuSet } from '../../../lib/words/cpu-list.ts';
import { element, gap, type Piece } from './grammar-xml.ts';

const cpus = fc
  .uniqueArray(fc.nat(130), { minLength: 1, maxLength: 6 })
  .map((set) => set.sort((a, b) => a - b));
/** A set as people write it: single numbers, ranges, and an exclusion of what is not in it. */
const setText = (set: CpuSet): fc.Arbitrary<string> =>
  fc.constantFrom(
    set.join(','),
    set.map((cpu) => ` ${cpu}`).join(' ,'),
    `${set.join(',')},^${set.at(-1)! + 1}`,
    set.map((cpu) => `${cpu}-${cpu}`).join(','),
    `${set.at(-1)! + 1}-${set.at(-1)! + 2},^${set.at(-1)! + 1},^${set.at(-1)! + 2},${set.join(',')}`,
  );
const UNITS: Readonly<Record<string, number>> = {
  KiB: 1,
  k: 1,
  MiB: 1024,
  M: 1024,
  g: 1024 ** 2,
  GiB: 1024 ** 2,
};
const memory = fc
  .tuple(fc.integer({ min: 1, max: 4096 }), fc.constantFrom('', ...Object.keys(UNITS)))
  .map(([amount, unit]) => ({ amount, unit, kib: amount * (UNITS[unit] ?? 1) }));
const unitOf = (unit: string) => (unit === '' ? {} : { unit });

export type Cpu = Pick<
  Domain,
  'vcpus' | 'vcpuSet' | 'vcpuPins' | 'iothreadPins' | 'emulatorPin' | 'vcpuScheds'
>;
/** <vcpu> and <cputune>; pins of vCPUs that there are none of are left out, as libvirt does. */
export const cpuPart: fc.Arbitrary<Piece<Cpu>> = fc
  .record({
    vcpus: fc.integer({ min: 1, max: 16 }),
    vcpuSet: fc.option(cpus),
    pins: fc.dictionary(fc.nat(20).map(String), cpus, { maxKeys: 5 }),
    iothreads: fc.dictionary(fc.integer({ min: 1, max: 4 }).map(String), cpus, { maxKeys: 3 }),
    emulator: fc.option(cpus),
    scheds: fc.array(fc.tuple(cpus, fc.constantFrom('fifo', 'rr', 'batch'), fc.option(fc.nat(99))), {
      maxLength: 2,
    }),
  })
  .chain((one) => {
    const pin = (name: string, key: string, which: string, set: CpuSet) =>
      setText(set).chain((text) => element(name, { [key]: which, cpuset: text }));
    const tune = [
      ...Object.entries(one.pins).map(([which, set]) => pin('vcpupin', 'vcpu', which, set)),
      ...Object.entries(one.iothreads).map(([which, set]) => pin('iothreadpin', 'iothread', which, set)),
      ...(one.emulator === null
        ? []
        : [setText(one.emulator).chain((text) => element('emulatorpin', { cpuset: text }))]),
      ...one.scheds.map(([set, scheduler, priority]) =>
        setText(set).chain((vcpus) =>
          element('vcpusched', { vcpus, scheduler, ...(priority !== null && { priority: `${priority}` }) }),
        ),
      ),
    ];
    const vcpu = (
      one.vcpuSet === null ? fc.constant({}) : setText(one.vcpuSet).map((cpuset) => ({ cpuset }))
    ).chain((set) => element('vcpu', { placement: 'static', ...set }, ` ${one.vcpus}\n`));
    const asMap = (pins: Record<string, CpuSet>) =>
      new Map(Object.entries(pins).map(([key, set]) => [Number(key), set]));
    return fc.tuple(vcpu, fc.tuple(...tune), gap).map(([vcpuXml, tuneXml, space]) => ({
      xml: `${vcpuXml}${space}<cputune>${tuneXml.join(space)}</cputune>`,
      says: {
        vcpus: one.vcpus,
        vcpuSet: one.vcpuSet,
        vcpuPins: new Map([...asMap(one.pins)].filter(([which]) => which < one.vcpus)),
        iothreadPins: asMap(one.iothreads),
        emulatorPin: one.emulator,
        vcpuScheds: one.scheds.map(([vcpus, scheduler, priority]) => ({ vcpus, scheduler, priority })),
      },
    }));
  });

const LIMITS = ['hard_limit', 'soft_limit', 'swap_hard_limit', 'min_guarantee'];
export type Memory = Pick<
  Domain,
  'memoryKib' | 'memtune' | 'hugepages' | 'memoryNodes' | 'memoryMode' | 'cellNodes' | 'cells'
>;
/** Memory, its limits, its pages and its nodes. */
export const memoryPart: fc.Arbitrary<Piece<Memory>> = fc
  .record({
    memory: fc.option(memory),
    limits: fc.tuple(...Array.from({ length: 4 }, () => fc.option(memory))),
    hugepages: fc.option(fc.array(fc.tuple(memory, fc.option(cpus)), { maxLength: 2 })),
    nodes: fc.option(fc.tuple(cpus, fc.constantFrom('strict', 'preferred', 'interleave', 'restrictive'))),
    memnodes: fc.dictionary(fc.nat(3).map(String), cpus, { maxKeys: 2 }),
    cells: fc.array(fc.tuple(cpus, memory), { maxLength: 3 }),
  })
  .chain((one) => {
    const attributesOf = (key: string, set: CpuSet | null) =>
      set === null ? fc.constant({}) : setText(set).map((text) => ({ [key]: text }));
    const parts: fc.Arbitrary<string>[] = [
      one.memory === null
        ? fc.constant('')
        : element('memory', unitOf(one.memory.unit), `${one.memory.amount}`),
      fc
        .tuple(
          ...LIMITS.map((name, at) => {
            const limit = one.limits[at] ?? null;
            return limit === null ? fc.constant('') : element(name, unitOf(limit.unit), `${limit.amount}`);
          }),
        )
        .map((all) => `<memtune>${all.join('')}</memtune>`),
      fc.constant('<currentMemory unit="KiB">7</currentMemory>'),
    ];
    if (one.hugepages !== null) {
      const pages = one.hugepages.map(([size, set]) =>
        attributesOf('nodeset', set).chain((nodeset) =>
          element('page', { size: `${size.amount}`, ...unitOf(size.unit), ...nodeset }),
        ),
      );
      parts.push(
        fc
          .tuple(...pages)
          .map((all) => `<memoryBacking><hugepages>${all.join('')}</hugepages><locked/></memoryBacking>`),
      );
    }
    const memnodes = Object.entries(one.memnodes).map(([cell, set]) =>
      setText(set).chain((nodeset) => element('memnode', { cellid: cell, mode: 'strict', nodeset })),
    );
    const whole =
      one.nodes === null
        ? []
        : [setText(one.nodes[0]).chain((nodeset) => element('memory', { mode: one.nodes![1], nodeset }))];
    parts.push(fc.tuple(...whole, ...memnodes).map((all) => `<numatune>${all.join('')}</numatune>`));
    const cells = one.cells.map(([set, size], index) =>
      setText(set).chain((text) =>
        element('cell', { id: `${index}`, cpus: text, memory: `${size.amount}`, ...unitOf(size.unit) }),
      ),
    );
    parts.push(
      fc.tuple(...cells).map((all) => `<cpu mode="host-passthrough"><numa>${all.join('\n')}</numa></cpu>`),
    );
    const cellSum = one.cells.reduce((sum, [, { kib }]) => sum + kib, 0);
    return fc.tuple(...parts).map((all) => ({
      xml: all.join(''),
      says: {
        memoryKib: one.memory?.kib ?? (one.cells.length === 0 ? null : cellSum),
        memtune: {
          hardLimitKib: one.limits[0]?.kib ?? null,
          softLimitKib: one.limits[1]?.kib ?? null,
          swapHardLimitKib: one.limits[2]?.kib ?? null,
          minGuaranteeKib: one.limits[3]?.kib ?? null,
        },
        hugepages: one.hugepages?.map(([size, nodeset]) => ({ sizeKib: size.kib, nodeset })) ?? null,
        memoryNodes: one.nodes?.[0] ?? null,
        memoryMode: one.nodes?.[1] ?? null,
        cellNodes: new Map(Object.entries(one.memnodes).map(([cell, set]) => [Number(cell), set])),
        cells: one.cells.map(([set, { kib }], index) => ({ id: index, cpus: set, memoryKib: kib })),
      },
    }));
  });
