import { visible } from '../inputs/parsed.ts';
import type { Host } from './host.ts';

/** Distributions with a way of their own to install packages and set up the boot. */
export type DistributionFamily =
  | 'debian'
  | 'proxmox'
  | 'fedora'
  | 'ostree'
  | 'arch'
  | 'suse'
  | 'nixos'
  | 'other';

/** Which distribution runs here. */
export interface Distribution {
  readonly family: DistributionFamily;
  /** "Debian GNU/Linux 12 (bookworm)", for people. */
  readonly name: string;
}

/** Reads os-release(5); Proxmox calls itself Debian there, and image-based Fedora is set up in another way than Fedora. */
export function readDistribution(host: Host): Distribution {
  const text = host.readOptional('/etc/os-release') ?? host.readOptional('/usr/lib/os-release') ?? '';
  const values = parseOsRelease(text);
  const ids = [values.get('ID') ?? '', ...(values.get('ID_LIKE') ?? '').split(' ')];
  const name = visible(values.get('PRETTY_NAME') ?? values.get('NAME') ?? 'an unknown distribution');
  if (host.exists('/usr/bin/pveversion') || host.exists('/etc/pve')) return { family: 'proxmox', name };
  if (host.exists('/run/ostree-booted')) return { family: 'ostree', name };
  const family = ids.map((id) => FAMILIES[id]).find((one) => one !== undefined) ?? 'other';
  return { family, name };
}

const FAMILIES: Readonly<Record<string, DistributionFamily>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  arch: 'arch',
  suse: 'suse',
  opensuse: 'suse',
  'opensuse-tumbleweed': 'suse',
  'opensuse-leap': 'suse',
  nixos: 'nixos',
};

/** Reads NAME=value lines, the value in quotes or not. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (match !== null) values.set(match[1]!, match[2] ?? match[3] ?? match[4] ?? '');
  }
  return values;
}
