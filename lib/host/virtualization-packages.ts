import { HostError } from '../words/errors.ts';
import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';

/** A release as three numbers. */
export type Version = readonly [number, number, number];

const LIBRARIES = [
  '/usr/lib64',
  '/usr/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/run/current-system/sw/lib',
];
const EMULATORS = [
  '/usr/bin/qemu-system-x86_64',
  '/usr/local/bin/qemu-system-x86_64',
  '/usr/libexec/qemu-kvm',
  '/usr/bin/qemu-kvm',
  '/run/libvirt/nix-emulators/qemu-system-x86_64',
  '/run/current-system/sw/bin/qemu-system-x86_64',
  '/usr/bin/qemu-system-aarch64',
];
const ASK_MS = 2000;

/** Which QEMU there is; `version` says why where it cannot be told. */
export interface EmulatorFacts {
  readonly path: string | null;
  readonly version: Seen<Version>;
}

/** libvirt's version, by the name of its library (libvirt.so.0.9000.0 is 9.0.0): no program need run for it. Null where there is none. */
export function readLibvirtVersion(host: Host): Version | null {
  for (const folder of LIBRARIES) {
    const match = /^libvirt\.so\.0\.(\d{1,6})\.(\d{1,3})$/.exec(
      host.linkName(`${folder}/libvirt.so.0`) ?? '',
    );
    const number = Number(match?.[1] ?? 0);
    if (match !== null) return [Math.floor(number / 1000), number % 1000, Number(match[2])];
  }
  return null;
}

/** The emulator and its version: from the package lists, else by asking it (never on a recorded machine). */
export async function readEmulator(host: Host): Promise<EmulatorFacts> {
  const path = EMULATORS.find((one) => host.exists(one)) ?? null;
  if (path === null) return { path, version: { unseen: 'no QEMU is installed' } };
  const packaged = readRecorded(host) ?? (path.startsWith('/usr/bin/') ? readPackaged(host) : null);
  if (packaged !== null) return { path, version: { value: packaged } };
  if (host.root !== '/')
    return { path, version: { unseen: 'the recorded machine does not tell QEMU’s version' } };
  try {
    const { stdout, timedOut } = await host.run([path, '--version'], { timeoutMs: ASK_MS });
    const version = parseVersion(/version (\S+)/.exec(stdout)?.[1] ?? '');
    if (version !== null) return { path, version: { value: version } };
    const why = timedOut ? 'gave no answer in time' : 'tells no number';
    return { path, version: { unseen: `${path} --version ${why}` } };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { path, version: { unseen: `${path} cannot be run (${error.code ?? 'no reason given'})` } };
  }
}

/** Reads the first "7.2.11" or "1:7.2+dfsg-7" of a version. */
export function parseVersion(text: string): Version | null {
  const match = /^(?:\d+:)?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

const PACKAGES = [
  'qemu-system-x86',
  'qemu-kvm-core',
  'qemu-kvm',
  'qemu-x86',
  'pve-qemu-kvm',
  'qemu-system-arm',
];

/** The list that snapshots have: a name and a version a line. */
function readRecorded(host: Host): Version | null {
  const lines = (host.readOptional('/.passqemu/packages') ?? '').split('\n').map((line) => line.split(' '));
  const found = PACKAGES.map((name) => lines.find(([first]) => first === name)).find(
    (line) => line !== undefined,
  );
  return parseVersion(found?.[1] ?? '');
}

/** dpkg's list of packages is one file, pacman's a folder each. */
function readPackaged(host: Host): Version | null {
  const status = host.readOptional('/var/lib/dpkg/status');
  if (status !== null) {
    for (const name of PACKAGES) {
      const at = status.indexOf(`\nPackage: ${name}\n`);
      const end = at < 0 ? -1 : status.indexOf('\n\n', at);
      const version = /^Version: (\S+)$/m.exec(at < 0 ? '' : status.slice(at, end < 0 ? undefined : end));
      if (version !== null) return parseVersion(version[1]!);
    }
  }
  const folder = host.list('/var/lib/pacman/local').find((name) => /^qemu-system-x86-\d/.test(name));
  return folder === undefined ? null : parseVersion(folder.slice('qemu-system-x86-'.length));
}
