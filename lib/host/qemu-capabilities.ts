import { createHash } from 'node:crypto';
import { HostError } from '../words/errors.ts';
import type { Host } from './host.ts';
import type { QemuCapabilities } from './run-picture.ts';

/** Where distributions put QEMU, in the order of preference. */
const KNOWN_QEMUS = [
  '/usr/bin/qemu-system-x86_64',
  '/usr/local/bin/qemu-system-x86_64',
  '/usr/libexec/qemu-kvm',
  '/usr/bin/qemu-kvm',
  '/run/current-system/sw/bin/qemu-system-x86_64',
];

/** Changes with the way the answers are read. */
const FORM = 2;

/** QEMU answers such a question in some tens of milliseconds; a cold disk takes longer. */
const ASK_MS = 20_000;

/** What of the answers is kept: lists instead of sets, and whose they are. */
type Kept = { readonly identity: string } & {
  readonly [K in keyof Omit<
    QemuCapabilities,
    'path' | 'machineProperties'
  >]: QemuCapabilities[K] extends ReadonlySet<string> ? readonly string[] : QemuCapabilities[K];
} & { readonly machineProperties: Readonly<Record<string, readonly string[]>> };

/**
 * Asks QEMU what it has: its version, -device help and so on. The answers are kept in `cacheFolder` (ours alone to write) under the
 * identity of the binary (path, size, times, inode's file system), so that the next start asks nothing; null keeps nothing.
 */
export async function readQemuCapabilities(
  host: Host,
  asked: string | null,
  cacheFolder: string | null,
): Promise<QemuCapabilities> {
  const named = asked ?? KNOWN_QEMUS.find((path) => host.exists(path)) ?? null;
  const path = named === null ? null : (host.realPath(named) ?? null);
  const facts = path === null ? null : host.stat(path);
  if (named === null || path === null || facts?.kind !== 'file') {
    throw new HostError(`Cannot find QEMU: there is no ${asked ?? 'qemu-system-x86_64'}`, {
      hint: 'Install qemu-system-x86 (Debian, Ubuntu), qemu-kvm (Fedora) or qemu-full (Arch), or name it as qemu in [machine]',
    });
  }
  const identity = [FORM, path, facts.sizeBytes, facts.changedMs, facts.device, modulesChangedMs(host)].join(
    ' ',
  );
  const file =
    cacheFolder === null
      ? null
      : `${cacheFolder}/${createHash('sha256').update(named).digest('hex').slice(0, 16)}.json`;
  const kept = file === null ? null : readKept(host, file, identity);
  if (kept !== null) return fromKept(named, kept);
  const fresh = await ask(host, named, identity);
  if (file !== null && cacheFolder !== null) keep(host, cacheFolder, file, fresh);
  return fromKept(named, fresh);
}

/** Devices and displays come from modules too, which other packages bring. */
function modulesChangedMs(host: Host): number {
  const folders = [
    '/usr/lib/x86_64-linux-gnu/qemu',
    '/usr/lib/qemu',
    '/usr/lib64/qemu',
    '/usr/lib64/qemu-kvm',
  ];
  return Math.max(0, ...folders.map((folder) => host.stat(folder, 'follow')?.changedMs ?? 0));
}

async function ask(host: Host, path: string, identity: string): Promise<Kept> {
  const help = (...argv: string[]) => askOne(host, [path, ...argv]);
  const version = parseVersion(await help('--version'));
  if (version === null)
    throw new HostError(`Cannot use ${path} as QEMU: it does not say which version it is`, { path });
  const [options, devices, objects, q35, pc, vfio, audio, displays, netdevs, accelerators] = [
    await help('--help'),
    await help('-device', 'help'),
    await help('-object', 'help'),
    await help('-machine', 'q35,help'),
    await help('-machine', 'pc,help'),
    await help('-device', 'vfio-pci,help'),
    await help('-audiodev', 'help'),
    await help('-display', 'help'),
    await help('-netdev', 'help'),
    await help('-accel', 'help'),
  ];
  return {
    identity,
    version,
    devices: parseDevices(devices),
    objects: parseWords(objects),
    machineProperties: { q35: parseProperties(q35), i440fx: parseProperties(pc) },
    vfioProperties: parseProperties(vfio),
    audioDrivers: parseWords(audio),
    displays: parseWords(displays),
    netdevs: parseWords(netdevs),
    accelerators: parseWords(accelerators),
    options: parseOptions(options),
  };
}

async function askOne(host: Host, argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr, timedOut } = await host.run(argv, { timeoutMs: ASK_MS });
  if (timedOut)
    throw new HostError(`Cannot ask ${argv[0]} about ${argv.slice(1).join(' ')}: it does not answer`, {
      path: argv[0]!,
    });
  // A QEMU without such a driver or board says so and fails: then it has none of its properties
  return status === 0 ? `${stdout}\n${stderr}` : '';
}

/** "QEMU emulator version 7.2.22 (Debian …)". */
export function parseVersion(text: string): [number, number, number] | null {
  const match = /\bversion (\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** Names and aliases of -device help: `name "virtio-net-pci", bus PCI, alias "virtio-net"`. */
export function parseDevices(text: string): string[] {
  return [...text.matchAll(/\b(?:name|alias) "([\w.-]+)"/g)].map((match) => match[1]!);
}

/** Lists of one name a line, as -object help and -audiodev help give; titles end in a colon and are no names. */
export function parseWords(text: string): string[] {
  return [...text.matchAll(/^[ \t]*([\w.-]+)(?:[ \t].*[^:\n])?$/gm)].map((match) => match[1]!);
}

/** Names of properties: "  hpet=<bool>  - Enable/disable …". */
export function parseProperties(text: string): string[] {
  return [...text.matchAll(/^[ \t]*([\w.-]+)=</gm)].map((match) => match[1]!);
}

/** Options of --help, and sub-options of those that grew: "-run-with", "-run-with user". */
export function parseOptions(text: string): string[] {
  const options = [...text.matchAll(/^(-[\w-]+)/gm)].map((match) => match[1]!);
  const runWith = /^-run-with [\s\S]*?(?=^-)/m.exec(text)?.[0] ?? '';
  return runWith.includes('user=') ? [...options, '-run-with user'] : options;
}

function readKept(host: Host, file: string, identity: string): Kept | null {
  const facts = host.stat(file);
  // What others could have written says nothing
  if (facts?.kind !== 'file' || (facts.mode & 0o022) !== 0 || facts.uid !== ourUid(host)) return null;
  try {
    const kept = JSON.parse(host.readOptional(file) ?? '') as Kept;
    return kept.identity === identity ? kept : null;
  } catch {
    return null;
  }
}

function ourUid(host: Host): number {
  return host.stat(`/proc/${host.self().pid}`)?.uid ?? 0;
}

function keep(host: Host, folder: string, file: string, kept: Kept): void {
  try {
    host.makeFolder(folder, 0o700);
    host.replaceFile(file, JSON.stringify(kept), 0o600);
  } catch (error) {
    // Only slower the next time
    if (!(error instanceof HostError)) throw error;
    host.log('info', `Cannot keep what QEMU says of itself: ${error.message}`);
  }
}

function fromKept(path: string, kept: Kept): QemuCapabilities {
  const properties = Object.entries(kept.machineProperties).map(([name, list]): [string, Set<string>] => [
    name,
    new Set(list),
  ]);
  return {
    path,
    version: kept.version,
    devices: new Set(kept.devices),
    objects: new Set(kept.objects),
    machineProperties: new Map(properties),
    vfioProperties: new Set(kept.vfioProperties),
    audioDrivers: new Set(kept.audioDrivers),
    displays: new Set(kept.displays),
    netdevs: new Set(kept.netdevs),
    accelerators: new Set(kept.accelerators),
    options: new Set(kept.options),
  };
}
