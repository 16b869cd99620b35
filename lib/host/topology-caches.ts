import { type CpuSet, formatCpuList } from '../words/cpu-list.ts';
import type { Host } from './host.ts';
import { CPUS, readCpuListFile, readCpuMaskFile } from './online-cpus.ts';

/** One cache and the CPUs that share it, as a kernel list. */
export interface CacheFacts {
  readonly level: number;
  readonly type: 'data' | 'instruction' | 'unified' | null;
  readonly cpus: string;
  readonly sizeKiB: number | null;
}

/** A cache with its number: the kernel's own, else that of the first CPU that shares it. */
export interface Cache {
  readonly id: number;
  readonly facts: CacheFacts;
}

const TYPES = { Data: 'data', Instruction: 'instruction', Unified: 'unified' } as const;

/** Reads every cache once, by level, type and first CPU. See Documentation/ABI/testing/sysfs-devices-system-cpu. */
export function readCaches(host: Host, online: CpuSet): Cache[] {
  const caches = new Map<string, Cache>();
  // Who shares a cache is asked of the first of them only
  const told = new Set<string>();
  for (const cpu of online) {
    const folder = `${CPUS}/cpu${cpu}/cache`;
    for (const name of host.list(folder)) {
      if (!/^index\d{1,2}$/.test(name)) continue;
      const path = `${folder}/${name}`;
      const text = (file: string) => host.readOptional(`${path}/${file}`);
      const level = Number(text('level'));
      const typeText = text('type') ?? '';
      if (told.has(`${cpu} ${level} ${typeText}`)) continue;
      const shared =
        readCpuListFile(host, `${path}/shared_cpu_list`) ??
        readCpuMaskFile(host, `${path}/shared_cpu_map`) ??
        [];
      // Virtual machines may leave out who shares a cache, which is all that matters of it
      if (!Number.isInteger(level) || level < 1 || shared.length === 0) continue;
      for (const one of shared) told.add(`${one} ${level} ${typeText}`);
      const key = `${level} ${typeText} ${shared[0]}`;
      if (caches.has(key)) continue;
      const id = /^\d{1,9}$/.exec(text('id') ?? '')?.[0];
      const type = typeText in TYPES ? TYPES[typeText as keyof typeof TYPES] : null;
      const facts = { level, type, cpus: formatCpuList(shared), sizeKiB: parseCacheSize(text('size') ?? '') };
      caches.set(key, { id: id === undefined ? shared[0]! : Number(id), facts });
    }
  }
  return [...caches.values()].sort(
    (a, b) =>
      a.facts.level - b.facts.level ||
      (a.facts.type ?? '').localeCompare(b.facts.type ?? '') ||
      Number.parseInt(a.facts.cpus, 10) - Number.parseInt(b.facts.cpus, 10),
  );
}

/** Reads a cache's `size` in KiB: "512K", "32M"; null where it is not told ("0K" of some virtual machines too). */
export function parseCacheSize(text: string): number | null {
  const match = /^(\d{1,9})([KM])$/.exec(text);
  const kib = match === null ? 0 : Number(match[1]) * (match[2] === 'M' ? 1024 : 1);
  return kib === 0 ? null : kib;
}
