/** What a machine says of its owner: found first, replaced afterwards, the same name by the same pseudonym everywhere. */
export interface PrivateWords {
  /** Serial numbers of devices, world wide names. */
  readonly serials: readonly string[];
  readonly hosts: readonly string[];
  readonly users: readonly string[];
}

/** Replaces what is private in a text; `names` says whether names of hosts and users are looked for as words too. */
export type Pseudonymize = (text: string, names: boolean) => string;

const MAC = /(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi;
/** Interfaces that are named by their address. */
const MAC_NAME = /(?<=\b(?:enx|wlx|wwx))[0-9a-f]{12}(?![0-9a-f])/gi;
const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/gi;

/** Names that say nothing of anybody: those of distributions and of every machine. */
const COMMON = new Set(
  'localhost linux debian ubuntu fedora arch archlinux manjaro gentoo opensuse nixos proxmox pve desktop server host root user'.split(
    ' ',
  ),
);
const SHORTEST = 3;

/**
 * Makes the replacement. Numbers are given in the order of the sorted values, so that it does not matter where a value was
 * met first; `texts` is everything that will be replaced, from which MAC addresses and UUIDs are collected.
 */
export function makePseudonyms(words: PrivateWords, texts: Iterable<string>): Pseudonymize {
  const macs = new Set<string>();
  const uuids = new Set<string>();
  for (const text of texts) {
    for (const [mac] of text.matchAll(MAC)) if (!isNobodys(mac)) macs.add(mac.toLowerCase());
    for (const [mac] of text.matchAll(MAC_NAME)) macs.add(mac.toLowerCase().replace(/..(?=.)/g, '$&:'));
    for (const [uuid] of text.matchAll(UUID)) uuids.add(uuid.toLowerCase());
  }
  const macOf = number(macs, (at) => `02:00:00:${pairs(at)}`);
  const uuidOf = number(uuids, (at) => `00000000-0000-4000-8000-${`${at}`.padStart(12, '0')}`);
  const serialOf = number(words.serials.filter(isTelling), (at) => `SERIAL${at}`);
  const hostOf = number(words.hosts.filter(isName), (at) => `host${at}`);
  const userOf = number(words.users.filter(isName), (at) => `user${at}`);
  const serials = [...serialOf].sort(([a], [b]) => b.length - a.length);
  return (text, names) => {
    let out = text;
    for (const [serial, pseudonym] of serials) out = out.replaceAll(serial, pseudonym);
    out = out
      .replace(UUID, (uuid) => uuidOf.get(uuid.toLowerCase()) ?? uuid)
      .replace(MAC, (mac) => macOf.get(mac.toLowerCase()) ?? mac)
      .replace(MAC_NAME, (mac) => {
        const known = macOf.get(mac.toLowerCase().replace(/..(?=.)/g, '$&:'));
        return known === undefined ? mac : known.replaceAll(':', '');
      });
    if (!names) return out;
    for (const [name, pseudonym] of [...userOf, ...hostOf]) out = replaceWord(out, name, pseudonym);
    return out;
  };
}

/** A host's name and those of its people, from /proc/sys/kernel/hostname and /etc/passwd: who has a number from 1000 on. */
export function parseNames(hostname: string, passwd: string): Pick<PrivateWords, 'hosts' | 'users'> {
  const users = passwd.split('\n').flatMap((line) => {
    const [name = '', , uid = ''] = line.split(':');
    return /^\d+$/.test(uid) && Number(uid) >= 1000 && Number(uid) < 65_534 ? [name] : [];
  });
  const host = hostname.trim();
  return { users, hosts: [...new Set([host, host.split('.')[0]!])] };
}

function number(values: Iterable<string>, name: (at: number) => string): Map<string, string> {
  const sorted = [...new Set(values)].sort();
  return new Map(sorted.map((value, at) => [value, name(at + 1)]));
}

/** A word as a whole, in either case: letters and digits beside it make it another word. */
function replaceWord(text: string, word: string, by: string): string {
  const lower = text.toLowerCase();
  const wanted = word.toLowerCase();
  let out = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
    const isWhole = !isWordSign(lower[at - 1]) && !isWordSign(lower[at + wanted.length]);
    if (!isWhole) continue;
    out += text.slice(from, at) + by;
    from = at + wanted.length;
  }
  return out + text.slice(from);
}

function isWordSign(sign: string | undefined): boolean {
  return sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
}

function isName(name: string): boolean {
  return name.length >= SHORTEST && !COMMON.has(name.toLowerCase());
}

/** Serial numbers that are none ("0", "To be filled by O.E.M.") would be found everywhere. */
function isTelling(serial: string): boolean {
  return serial.length >= 5 && !/^0+$/.test(serial) && !/filled|default|none|not /i.test(serial);
}

function isNobodys(mac: string): boolean {
  return /^(?:00:){5}00$/.test(mac) || /^(?:ff:){5}ff$/i.test(mac);
}

function pairs(at: number): string {
  const hex = at.toString(16).padStart(6, '0');
  return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
}
