import type { PciAddress } from '../words/pci-address.ts';
import { behindPath } from './block-devices.ts';
import type { Host } from './host.ts';
import type { Use } from './uses.ts';

/** A network interface that hangs on a PCI function. */
export interface NetworkInterface {
  readonly name: string;
  readonly address: PciAddress;
}

/** The interfaces on these functions, in the order of their names. See Documentation/ABI/testing/sysfs-class-net. */
export function readInterfaces(host: Host, addresses: readonly PciAddress[]): NetworkInterface[] {
  const wanted = new Set<string>(addresses);
  return host.list('/sys/class/net').flatMap((name) => {
    const behind = behindPath(host.realPath(`/sys/class/net/${name}`) ?? '', wanted);
    return behind.map((address) => ({ name, address }));
  });
}

/** What the host's network loses with these functions: default routes, bridges and bonds that lead over them, addresses. */
export function readNetworkUses(host: Host, addresses: readonly PciAddress[]): Use[] {
  const interfaces = readInterfaces(host, addresses);
  if (interfaces.length === 0) return [];
  const routes = readRoutes(host);
  return interfaces.flatMap(({ name, address }) => {
    const uppers = readUppers(host, name);
    const uses: Use[] = [];
    const add = (why: Use['why'], what: string, severity: Use['severity']) =>
      uses.push({ address, why, what, on: name, severity });
    for (const one of [name, ...uppers]) {
      for (const family of routes.defaults.get(one) ?? [])
        add('default-route', `${family} through ${one}`, 'refuse');
      if (host.exists(`/sys/class/net/${one}/bridge`)) add('bridge', one, 'warn');
      if (host.exists(`/sys/class/net/${one}/bonding`)) add('bond', one, 'warn');
      if (routes.used.has(one)) add('address', one, 'note');
    }
    return uses;
  });
}

/** Whatever is stacked on an interface: bridges, bonds, VLANs, and what is stacked on those. */
function readUppers(host: Host, name: string, seen: Set<string> = new Set()): readonly string[] {
  for (const entry of host.list(`/sys/class/net/${name}`)) {
    const upper = entry.startsWith('upper_') ? entry.slice('upper_'.length) : '';
    if (upper === '' || seen.has(upper) || seen.size > 1000) continue;
    seen.add(upper);
    readUppers(host, upper, seen);
  }
  return [...seen];
}

interface Routes {
  /** Interface to the families whose default route leads through it. */
  readonly defaults: ReadonlyMap<string, readonly string[]>;
  /** Interfaces with a route or a global address. */
  readonly used: ReadonlySet<string>;
}

/** The main routing tables as proc(5) has them; a route counts while it is up (RTF_UP) and no reject (RTF_REJECT). */
function readRoutes(host: Host): Routes {
  const defaults = new Map<string, string[]>();
  const used = new Set<string>();
  const isDefault = (name: string, family: string) => {
    const families = defaults.get(name) ?? [];
    if (!families.includes(family)) defaults.set(name, [...families, family]);
  };
  for (const line of (host.readOptional('/proc/net/route') ?? '').split('\n').slice(1)) {
    const [name = '', target, , flags = '', , , , mask] = line.trim().split(/\s+/);
    if (!isLive(flags)) continue;
    used.add(name);
    if (target === '00000000' && mask === '00000000') isDefault(name, 'IPv4');
  }
  for (const line of (host.readOptional('/proc/net/ipv6_route') ?? '').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields.length !== 10 || !isLive(fields[8]!)) continue;
    if (/^0{32}$/.test(fields[0]!) && fields[1] === '00') isDefault(fields[9]!, 'IPv6');
  }
  for (const line of (host.readOptional('/proc/net/if_inet6') ?? '').split('\n')) {
    const [, , , scope, , name] = line.trim().split(/\s+/);
    // Scope 20 is an address of the link alone, which every interface makes for itself
    if (name !== undefined && scope === '00') used.add(name);
  }
  return { defaults, used };
}

function isLive(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & 0x1) !== 0 && (bits & 0x200) === 0;
}
