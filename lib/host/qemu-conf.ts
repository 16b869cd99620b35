import { isUnseen, type Seen } from '../words/seen.ts';
import type { Host } from './host.ts';
import { lookAt } from './look.ts';

/** What of libvirt's qemu.conf decides about passthrough; null where it is not set. */
export interface QemuConf {
  readonly user: string | null;
  readonly group: string | null;
  /** Whether /etc/passwd and /etc/group know them; true for numbers and where they are not set. */
  readonly userIsKnown: boolean;
  readonly groupIsKnown: boolean;
  readonly deviceAcl: readonly string[] | null;
  /** Firmware pairs of `nvram` that are not there. */
  readonly missingFirmware: readonly string[];
}

const FILE = '/etc/libvirt/qemu.conf';

/** Reads it; null where libvirt has none (its defaults hold). */
export function readQemuConf(host: Host): Seen<QemuConf | null> {
  const text = lookAt(host, FILE);
  if (isUnseen(text)) return text;
  if (text.value === null) return { value: null };
  const values = parseQemuConf(text.value);
  const word = (name: string) => {
    const value = values.get(name);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const words = (name: string) => {
    const value = values.get(name);
    return Array.isArray(value) ? value : null;
  };
  const [user, group] = [word('user'), word('group')];
  const pairs = (words('nvram') ?? []).flatMap((pair) => pair.split(':'));
  return {
    value: {
      user,
      group,
      userIsKnown: isKnown(host, '/etc/passwd', user),
      groupIsKnown: isKnown(host, '/etc/group', group),
      deviceAcl: words('cgroup_device_acl'),
      missingFirmware: pairs.filter((path) => path.startsWith('/') && !host.exists(path)),
    },
  };
}

/** Reads `name = "text"`, `name = 1` and `name = [ "a", "b" ]` over several lines, comments left out. */
export function parseQemuConf(text: string): ReadonlyMap<string, string | string[]> {
  const values = new Map<string, string | string[]>();
  const plain = text.replace(/^\s*#.*$/gm, '');
  for (const match of plain.matchAll(/^\s*(\w+)\s*=\s*(?:\[([^\]]*)\]|"([^"\n]*)"|(\S+))/gm)) {
    const [, name = '', list, quoted, bare = ''] = match;
    values.set(
      name,
      list === undefined ? (quoted ?? bare) : [...list.matchAll(/"([^"]*)"/g)].map(([, one = '']) => one),
    );
  }
  return values;
}

function isKnown(host: Host, file: string, name: string | null): boolean {
  if (name === null || /^\+?\d+$/.test(name)) return true;
  const text = host.readOptional(file);
  return text === null || text.split('\n').some((line) => line.startsWith(`${name}:`));
}
