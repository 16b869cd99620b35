import { makePseudonyms, type PrivateWords } from '../inputs/pseudonyms.ts';
import { type RecordedNode, RecordedTree, walkTree } from './recorded-tree.ts';

/** Files that hold a serial number or a world wide name and nothing else. */
const SERIAL_FILE =
  /\/(?:serial|serial_number|wwid|wwn|eui|nguid|unique_id|vpd_pg80|(?:product|board|chassis)_serial|machine-id)$/;
const UDEV_SERIAL = /^E:ID_(?:SERIAL_SHORT|SERIAL|WWN|WWN_WITH_EXTENSION)=(.+)$/gm;
/** Texts in which a name of the host or of a user cannot be a word of the kernel's or of a distribution's. */
const NAMES_IN =
  /^\/(?:proc\/(?:mounts|swaps|cmdline|self\/|\d+\/|sys\/kernel\/hostname)|etc\/(?!os-release)|run\/|dev\/kmsg$|var\/log\/|sys\/.*\/dm\/name$)/;

/**
 * The same machine without what tells whose it is: serial numbers, MAC addresses, UUIDs, IP addresses, names of the host and of
 * its users are pseudonyms, command lines of programs other than QEMU are only the program's name.
 */
export function withoutPrivacy(
  tree: RecordedTree,
  names: Pick<PrivateWords, 'hosts' | 'users'>,
): RecordedTree {
  const nodes = [...walkTree(tree.top)].map(({ path, node }) => ({ path, node: reduce(path, node) }));
  const texts = nodes.flatMap(({ path, node }) => [path, ...textsOf(node)]);
  const serials = nodes.flatMap(({ path, node }) => serialsOf(path, node));
  const replace = makePseudonyms({ ...names, serials }, texts);
  const out = new RecordedTree();
  for (const { path, node } of nodes) {
    const at = replace(path, false);
    if (node.kind === 'folder') out.folder(at, node);
    else if (node.kind === 'link') out.put(at, { kind: 'link', target: replace(node.target, false) });
    else if (node.kind === 'file' && node.bytes !== null && isText(node.bytes)) {
      const text = replace(node.bytes.toString('utf8'), NAMES_IN.test(path));
      out.put(at, { ...node, bytes: Buffer.from(text) });
    } else out.put(at, node);
  }
  return out;
}

function textsOf(node: RecordedNode): string[] {
  if (node.kind === 'link') return [node.target];
  return node.kind === 'file' && node.bytes !== null ? [node.bytes.toString('utf8')] : [];
}

function serialsOf(path: string, node: RecordedNode): string[] {
  if (node.kind !== 'file' || node.bytes === null) return [];
  const text = node.bytes.toString('utf8');
  if (SERIAL_FILE.test(path)) return [text.trim()];
  return path.startsWith('/run/udev/data/')
    ? [...text.matchAll(UDEV_SERIAL)].map(([, serial]) => serial!)
    : [];
}

/** More than any file that readers look at has; an initramfs or a ROM is not for others. */
const LARGEST_BYTES = 1 << 20;

/** What of a file goes into a snapshot: of some only the part that readers look at, of large ones that they are there. */
function reduce(path: string, node: RecordedNode): RecordedNode {
  if (node.kind !== 'file' || node.bytes === null) return node;
  const change = REDUCED.find(([pattern]) => pattern.test(path))?.[1];
  const bytes = change === undefined ? node.bytes : Buffer.from(change(node.bytes.toString('utf8')));
  return { ...node, bytes: bytes.length > LARGEST_BYTES ? null : bytes };
}

const REDUCED: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/^\/proc\/\d+\/cmdline$/, reduceCommandLine],
  [/^\/proc\/\d+\/maps$/, (text) => keepLines(text, (line) => line.includes('/dev/'))],
  [/^\/run\/udev\/data\//, reduceUdev],
  [/^\/dev\/kmsg$|^\/var\/log\//, (text) => text.replace(/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '192.0.2.1')],
  [/^\/var\/lib\/dpkg\/status$/, reducePackages],
  [/^\/etc\/passwd$/, (text) => keepLines(text, (line) => /^root:/.test(line))],
  [/^\/etc\/group$/, () => ''],
  [/^\/etc\/libvirt\/hooks\//, (text) => keepLines(text, (line) => HOOK_LINE.test(line))],
  [
    /^\/etc\/libvirt\/qemu\.conf$/,
    (text) => keepLines(text, (line) => !/^\s*#|passw|secret|x509/i.test(line)),
  ],
  [/^\/proc\/net\/route$/, (text) => text.replace(/^(\S+)\t([0-9A-F]{8})\t[0-9A-F]{8}\t/gm, hideRoute)],
  [/^\/proc\/net\/ipv6_route$/, (text) => text.replace(/^[0-9a-f]{32}.*$/gm, hideRoute6)],
  [/^\/proc\/net\/if_inet6$/, (text) => text.replace(/^[0-9a-f]{32}/gm, `fd${'0'.repeat(29)}1`)],
];

/** By which hooks are known, ours and others that take devices. */
const HOOK_LINE =
  /passqemu, hook for libvirt|^node=|nodedev-detach|driver_override|vfio-pci\/(?:new_id|bind)|\/unbind\b|modprobe -r|rmmod/;

const UDEV_KEPT = /^E:ID_(?:FS_TYPE|SERIAL|SERIAL_SHORT|WWN|SEAT)=/;

/** Which packages are there at which version; not who packed them, nor what for. */
function reducePackages(text: string): string {
  const lines = keepLines(text, (line) => line === '' || /^(?:Package|Status|Version): /.test(line));
  return lines.replace(/\n{3,}/g, '\n\n');
}

/** Labels are people's words, but the one of a ZFS member is the pool's name. */
function reduceUdev(text: string): string {
  const isZfs = text.includes('E:ID_FS_TYPE=zfs_member\n');
  return keepLines(text, (line) => UDEV_KEPT.test(line) || (isZfs && line.startsWith('E:ID_FS_LABEL=')));
}

function reduceCommandLine(text: string): string {
  const argv = text.trimEnd().split('\0');
  const program = argv[0] ?? '';
  if (!/(?:^|\/)(?:qemu[^/]*|kvm)$/.test(program))
    return (
      program
        .split(/[\s\0]/)[0]!
        .split('/')
        .at(-1) ?? ''
    );
  const kept = ['-name', '-uuid'].flatMap((option) => {
    const at = argv.indexOf(option);
    return at < 0 ? [] : argv.slice(at, at + 2);
  });
  return [program, ...kept, ''].join('\0');
}

function keepLines(text: string, wanted: (line: string) => boolean): string {
  return text
    .split('\n')
    .filter(wanted)
    .map((line) => `${line}\n`)
    .join('');
}

function hideRoute(_line: string, name: string, target: string): string {
  return `${name}\t${target === '00000000' ? target : '0000000A'}\t00000000\t`;
}

function hideRoute6(line: string): string {
  const fields = line.trim().split(/\s+/);
  if (fields.length !== 10) return '';
  const zero = '0'.repeat(32);
  if (fields[0] !== zero) fields[0] = `fd${'0'.repeat(30)}`;
  fields[2] = zero;
  fields[4] = zero;
  return fields.join(' ');
}

/** Binary files (firmware tables, ROMs) are left as they are. */
function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}
