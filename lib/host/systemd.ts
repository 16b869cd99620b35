import { type CpuSet, formatCpuList, parseCpuList, unionOf } from '../words/cpu-list.ts';
import type { Host } from './host.ts';

const OVERRIDE = '50-AllowedCPUs.conf';

/** Where units are looked for, the strongest first (systemd.unit(5), "UNIT FILE LOAD PATH"). */
const FOLDERS: readonly string[] = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Whether systemd is the process 1 of this machine (sd_booted(3)). */
export function isSystemd(host: Host): boolean {
  return host.exists('/run/systemd/system');
}

/** The file that `systemctl set-property --runtime UNIT AllowedCPUs=` writes: scopes are transient, so theirs is elsewhere. */
export function allowedCpusDropIn(unit: string): string {
  const folder = unit.endsWith('.scope') ? '/run/systemd/transient' : '/run/systemd/system.control';
  return `${folder}/${unit}.d/${OVERRIDE}`;
}

/** What a unit's files say about AllowedCPUs (systemd.resource-control(5)). */
export interface AllowedCpus {
  /** The list, "" where it is unset. */
  readonly allowed: string;
  /** A file that beats our drop-in at the next daemon-reload. */
  readonly stronger: string | null;
}

/** Reads a unit's AllowedCPUs from its files, as systemd puts them together: no program is needed for it. */
export function readAllowedCpus(host: Host, unit: string): AllowedCpus {
  let cpus: CpuSet = [];
  let stronger: string | null = null;
  const ours = allowedCpusDropIn(unit);
  for (const path of unitFiles(host, unit)) {
    const text = host.readOptional(path);
    if (text === null || !text.includes('AllowedCPUs')) continue;
    cpus = parseAllowedCpus(text, cpus);
    if (path !== ours && isStronger(path)) stronger ??= path;
  }
  return { allowed: formatCpuList(cpus), stronger };
}

/** Adds the AllowedCPUs= lines of one file to what the files before it say: lists add up, an empty one starts anew. */
export function parseAllowedCpus(text: string, before: CpuSet = []): CpuSet {
  let cpus = before;
  for (const match of text.matchAll(/^[ \t]*AllowedCPUs[ \t]*=(.*)$/gm)) {
    const list = parseCpuList(
      match[1]!
        .trim()
        .split(/[\s,]+/)
        .join(','),
    );
    // A list that systemd cannot read it leaves out
    if (list !== null) cpus = list.length === 0 ? [] : unionOf(cpus, list);
  }
  return cpus;
}

/** The unit's own file and its drop-ins in the order in which they count; of those with one name only the strongest. */
function unitFiles(host: Host, unit: string): string[] {
  const type = unit.slice(unit.lastIndexOf('.') + 1);
  const own = FOLDERS.map((folder) => `${folder}/${unit}`).find((path) => host.exists(path));
  const dropIns = new Map<string, string>();
  for (const name of [`${type}.d`, `${unit}.d`]) {
    for (const folder of [...FOLDERS].reverse()) {
      for (const file of host.list(`${folder}/${name}`)) {
        if (file.endsWith('.conf')) dropIns.set(file, `${folder}/${name}/${file}`);
      }
    }
  }
  const sorted = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return own === undefined ? sorted : [own, ...sorted];
}

function isStronger(path: string): boolean {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file > OVERRIDE || (file === OVERRIDE && path.startsWith('/etc/systemd/system.control/'));
}
