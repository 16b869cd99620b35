import { createHash } from 'node:crypto';
import type { RunProfile, WholeProfile } from '../inputs/run-profile.ts';
import { chosenOf } from './device-identity.ts';
import { findFunctions } from './device-search.ts';
import { readGuestFirmware } from './guest-firmware.ts';
import type { Host, PathFacts } from './host.ts';
import { readListeningPorts } from './listening-ports.ts';
import { unescapeMount } from './mounts.ts';
import { readOnlineCpus } from './online-cpus.ts';
import { readQemuProcesses } from './qemu-processes.ts';
import type { RunPicture, VariablesPicture } from './run-picture.ts';
import { readRunPrograms } from './run-programs.ts';

/** Where a guest's files are: of this run, and those that stay. */
export interface RunFolders {
  readonly runFolder: string;
  readonly dataFolder: string;
  /** $XDG_CONFIG_HOME or ~/.config of whoever runs us; null for root. */
  readonly configFolder: string | null;
  readonly uid: number;
}

/** Reads what the command line of a guest depends on, and nothing that its profile does not ask for. */
export async function readRunPicture(
  host: Host,
  whole: WholeProfile,
  folders: RunFolders,
): Promise<RunPicture> {
  const { run } = whole;
  const isRoot = folders.uid === 0;
  const user = run.machine.user === null ? null : readUser(host, run.machine.user);
  const firmware = run.firmware.type === 'uefi' ? readGuestFirmware(host, folders.configFolder) : [];
  const files = new Map(pathsOf(run).map((path) => [path, host.stat(path, 'follow')]));
  const vars =
    run.firmware.vars ??
    `${folders.dataFolder}/vars.${variablesEnding(
      run,
      firmware.map(({ templateFormat }) => templateFormat),
    )}`;
  const soundUid = user?.uid ?? (isRoot ? null : folders.uid);
  return {
    isRoot,
    kvm: readKvm(host, isRoot),
    vhostNet: host.exists('/dev/vhost-net'),
    processorVendor: readVendor(host),
    onlineCpus: readOnlineCpus(host),
    files,
    realPaths: readRealPaths(host, [...files.keys(), vars]),
    functions: readFunctions(host, whole),
    iommufd: host.exists('/dev/iommu') && host.exists('/dev/vfio/devices'),
    portsInUse: usesPorts(run) ? readListeningPorts(host) : new Set(),
    running: readRunning(host, run.disks.length > 0 || run.firmware.type === 'uefi'),
    busyDisks: new Set(
      [...files].flatMap(([path, facts]) =>
        facts?.kind === 'block' && host.claimable(path) === 'busy' ? [path] : [],
      ),
    ),
    firmware,
    variables: readVariables(host, vars),
    templateDigests: readDigests(host, [
      ...firmware.map(({ template }) => template),
      ...(run.firmware.template === null ? [] : [run.firmware.template]),
    ]),
    interfaces: readInterfaces(host, run),
    user,
    programs: await readRunPrograms(host, run),
    dmi: run.smbios.host ? readDmi(host) : new Map(),
    hugetlbfs: readHugetlbfs(host),
    runFolder: folders.runFolder,
    dataFolder: folders.dataFolder,
    runtimeFolder: soundUid === null ? null : `/run/user/${soundUid}`,
  };
}

/** The guest's variables have the format of what they were copied from; the ending says which. */
function variablesEnding(run: RunProfile, found: readonly string[]): string {
  const template = run.firmware.template;
  const format =
    run.firmware.format ??
    (template !== null ? (template.endsWith('.qcow2') ? 'qcow2' : 'raw') : (found[0] ?? 'raw'));
  return format === 'qcow2' ? 'qcow2' : 'fd';
}

function pathsOf(run: RunProfile): string[] {
  const { machine, firmware, disks, devices, inputs, shares, fwCfg, display, lookingGlass, tpm } = run;
  const paths: (string | null)[] = [
    machine.kernel,
    machine.initrd,
    firmware.code,
    firmware.template,
    display.renderNode,
  ];
  for (const { source } of [...disks, ...shares]) paths.push(source);
  for (const { romfile, sysfsDevice, mdev } of devices)
    paths.push(romfile, sysfsDevice, mdev === null ? null : `/sys/bus/mdev/devices/${mdev}`);
  for (const { path } of inputs) paths.push(path);
  for (const { file } of fwCfg) paths.push(file);
  if (lookingGlass?.type === 'kvmfr') paths.push(lookingGlass.path ?? '/dev/kvmfr0');
  if (tpm.type === 'host') paths.push(tpm.path ?? '/dev/tpm0');
  return [...new Set(paths.filter((path) => path !== null))];
}

/** Whether it is to listen on ports of the host. */
function usesPorts({ display, networks }: RunProfile): boolean {
  return ['spice', 'vnc'].includes(display.type) || networks.some(({ forward }) => forward !== null);
}

/** Disks are named by links (/dev/disk/by-id, /dev/VG/LV), what is open is shown by what they lead to. */
function readRealPaths(host: Host, paths: readonly string[]): Map<string, string> {
  return new Map(
    paths.flatMap((path) => {
      const real = host.realPath(path);
      return real === null || real === path ? [] : [[path, real] as const];
    }),
  );
}

/** The node is made at boot for the module that could be loaded; the kernel has the device only where the processor can. */
function readKvm(host: Host, isRoot: boolean): RunPicture['kvm'] {
  const facts = host.stat('/dev/kvm', 'follow');
  if (facts === null || !host.exists('/sys/class/misc/kvm')) return 'missing';
  if (isRoot || (facts.mode & 0o006) === 0o006) return 'usable';
  const groups = process.getgroups?.() ?? [];
  return (facts.mode & 0o060) === 0o060 && groups.includes(facts.gid) ? 'usable' : 'denied';
}

function readVendor(host: Host): RunPicture['processorVendor'] {
  const vendor = /^vendor_id\s*:\s*(\S+)/m.exec(host.readOptional('/proc/cpuinfo') ?? '')?.[1] ?? '';
  if (vendor === 'AuthenticAMD' || vendor === 'HygonGenuine') return 'amd';
  return vendor === 'GenuineIntel' ? 'intel' : 'other';
}

function readFunctions(host: Host, { host: profile }: WholeProfile): RunPicture['functions'] {
  return new Map(
    profile.devices.requests.map(({ label, selector }) => {
      const address = chosenOf(selector, findFunctions(host, selector));
      if (address === null) return [label, null];
      return [label, { address, isVirtual: host.exists(`/sys/bus/pci/devices/${address}/physfn`) }];
    }),
  );
}

/** Other QEMUs, and what files they have open (proc(5), /proc/PID/fd), where we have any; of other users’ only root sees them. */
function readRunning(host: Host, hasFiles: boolean): RunPicture['running'] {
  return readQemuProcesses(host).map(({ pid, guest, uuid }) => {
    const folder = `/proc/${pid}/fd`;
    const files = (hasFiles ? host.list(folder) : []).flatMap((fd) => host.realPath(`${folder}/${fd}`) ?? []);
    return { pid, guest, uuid, files: new Set(files) };
  });
}

function readVariables(host: Host, path: string): VariablesPicture {
  const record = host.readOptional(`${path}.template`);
  return { path, exists: host.exists(path), copiedFrom: record === null ? null : parseRecord(record) };
}

function parseRecord(text: string): VariablesPicture['copiedFrom'] {
  try {
    const { path, digest } = JSON.parse(text) as Record<string, unknown>;
    return typeof path === 'string' && typeof digest === 'string' ? { path, digest } : null;
  } catch {
    return null;
  }
}

function readDigests(host: Host, paths: readonly string[]): Map<string, string> {
  return new Map(
    [...new Set(paths)].flatMap((path): [string, string][] => {
      const facts: PathFacts | null = host.stat(path, 'follow');
      if (facts?.kind !== 'file') return [];
      return [[path, createHash('sha256').update(host.readBytes(path)).digest('hex')]];
    }),
  );
}

function readInterfaces(host: Host, run: RunProfile): RunPicture['interfaces'] {
  const names = run.networks.flatMap(({ bridge, interface: name }) => bridge ?? name ?? []);
  return new Map(
    names.flatMap((name) => {
      const folder = `/sys/class/net/${name}`;
      const index = Number(host.readOptional(`${folder}/ifindex`) ?? 0);
      if (index === 0) return [];
      return [
        [
          name,
          { index, isBridge: host.exists(`${folder}/bridge`), isTap: host.exists(`${folder}/tun_flags`) },
        ] as const,
      ];
    }),
  );
}

/** passwd(5). */
function readUser(host: Host, name: string): RunPicture['user'] {
  for (const line of (host.readOptional('/etc/passwd') ?? '').split('\n')) {
    const [login, , uid = '', gid = ''] = line.split(':');
    if (login === name && /^\d+$/.test(uid) && /^\d+$/.test(gid))
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

/** What the firmware of this host says of it (Documentation/ABI/testing/sysfs-firmware-dmi-tables); serials only to root. */
function readDmi(host: Host): Map<string, string> {
  const folder = '/sys/class/dmi/id';
  return new Map(
    host.list(folder).flatMap((name) => {
      const text = /^(?:bios|sys|product|board)_/.test(name) ? host.readOptional(`${folder}/${name}`) : null;
      return text === null || text.trim() === '' ? [] : [[name, text.trim()] as const];
    }),
  );
}

/** Mounts of hugetlbfs by page size in KiB (proc(5), /proc/mounts). */
function readHugetlbfs(host: Host): Map<number, string> {
  const usual = Number(
    /^Hugepagesize:\s+(\d+) kB/m.exec(host.readOptional('/proc/meminfo') ?? '')?.[1] ?? 2048,
  );
  const found = new Map<number, string>();
  for (const line of (host.readOptional('/proc/mounts') ?? '').split('\n')) {
    const [, place = '', type, options = ''] = line.split(' ');
    if (type !== 'hugetlbfs') continue;
    const size = /(?:^|,)pagesize=(\d+)([KMG])/.exec(options);
    const kib =
      size === null ? usual : Number(size[1]) * { K: 1, M: 1024, G: 1024 ** 2 }[size[2] as 'K' | 'M' | 'G'];
    if (!found.has(kib)) found.set(kib, unescapeMount(place));
  }
  return found;
}
