import { gunzipSync, gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { HostError } from '../words/errors.ts';
import { type RecordedNode, RecordedTree, walkTree } from './recorded-tree.ts';

const MIB = 1 << 20;
/** A machine with 4096 functions has some hundred thousand files of a few bytes. */
export const LARGEST_ARCHIVE = 64 * MIB;
const LONGEST_PATH = 4096;

/** How much an archive may unpack to; a bomb ends there. */
export const SNAPSHOT_LIMITS = { contentBytes: 256 * MIB, entries: 300_000 };

/** What the format has no field for, as records of a pax header. */
const CLAIM = 'PASSQEMU.claim';

/** Packs a recorded machine as tar.gz; the same machine gives the same bytes. */
export async function packSnapshot(tree: RecordedTree): Promise<Buffer> {
  const pack = tar.pack();
  const parts: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    pack.on('data', (part) => parts.push(part as Buffer));
    pack.on('end', resolve);
    pack.on('error', reject);
  });
  for (const { path, node } of walkTree(tree.top)) {
    const name = path.slice(1);
    const mtime = new Date(0);
    if (node.kind === 'link') pack.entry({ name, mtime, type: 'symlink', linkname: node.target });
    else {
      const { uid, gid } = node;
      const facts = { name, mtime, uid, gid, mode: node.mode };
      if (node.kind === 'folder') pack.entry({ ...facts, type: 'directory' });
      else if (node.kind === 'file') {
        // What was only seen is what nobody may read
        const mode = node.bytes === null ? node.mode & ~0o444 || 0o200 : node.mode | 0o400;
        pack.entry({ ...facts, mode }, node.bytes ?? Buffer.alloc(0));
      } else {
        const [devmajor = 0, devminor = 0] = node.rdev.split(':').map(Number);
        const pax = node.claim === null ? {} : { pax: { [CLAIM]: node.claim } };
        pack.entry({ ...facts, ...pax, type: `${node.kind}-device`, devmajor, devminor });
      }
    }
  }
  pack.finalize();
  await done;
  // Level 9 takes six times as long for 6 % less
  return gzipSync(Buffer.concat(parts), { level: 6 });
}

/** Unpacks a recorded machine into memory. HostError where the file is none, is cut, or holds what no snapshot does. */
export async function unpackSnapshot(
  file: string,
  packed: Buffer,
  limits = SNAPSHOT_LIMITS,
): Promise<RecordedTree> {
  const refuse = (why: string) =>
    new HostError(`Cannot read the recorded machine ${file}: ${why}`, {
      path: file,
      hint: 'passqemu snapshot FILE.tar.gz makes one',
    });
  const bytes = gunzip(packed, limits.contentBytes, refuse);
  const tree = new RecordedTree();
  const extract = tar.extract();
  let entries = 0;
  extract.on('entry', (header, stream, next) => {
    const parts: Buffer[] = [];
    stream.on('data', (part) => parts.push(part as Buffer));
    stream.on('error', next);
    stream.on('end', () => {
      try {
        if (++entries > limits.entries) throw refuse(`it holds more than ${limits.entries} files`);
        add(tree, header as Header, Buffer.concat(parts), refuse);
        next();
      } catch (error) {
        next(error as Error);
      }
    });
  });
  const done = new Promise<void>((resolve, reject) => {
    extract.on('finish', resolve);
    extract.on('error', reject);
  });
  extract.end(bytes);
  try {
    await done;
  } catch (cause) {
    throw cause instanceof HostError ? cause : refuse(`it is damaged or cut (${(cause as Error).message})`);
  }
  if (entries === 0) throw refuse('it is empty');
  return tree;
}

type Refuse = (why: string) => HostError;
type Header = {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkname: string | null;
  readonly devmajor: number;
  readonly devminor: number;
  readonly pax?: Readonly<Record<string, string>> | null;
};

function gunzip(packed: Buffer, most: number, refuse: Refuse): Buffer {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) throw refuse('it is no tar.gz');
  try {
    return gunzipSync(packed, { maxOutputLength: most });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw refuse(`it holds more than ${Math.floor(most / MIB)} MiB`);
    throw refuse(`it is damaged or cut (${code ?? (cause as Error).message})`);
  }
}

function add(tree: RecordedTree, header: Header, bytes: Buffer, refuse: Refuse): void {
  const path = readPath(header.name, refuse);
  if (path === '/') return;
  const { mode, uid, gid, linkname, type } = header;
  const facts = { mode: mode & 0o7777, uid, gid };
  const node = type === 'directory' ? null : nodeOf();
  try {
    if (node === null) tree.folder(path, facts);
    else tree.put(path, node);
  } catch {
    throw refuse(`${quote(path)} lies in something that is no folder`);
  }

  function nodeOf(): RecordedNode {
    if (type === 'file')
      return { kind: 'file', bytes: bytes.length === 0 && (mode & 0o444) === 0 ? null : bytes, ...facts };
    if (type === 'symlink') return { kind: 'link', target: checkTarget(path, linkname ?? '', refuse) };
    if (type !== 'block-device' && type !== 'character-device')
      throw refuse(
        `${quote(path)} is a ${type.replace(/^link$/, 'hard link')}, which no recorded machine holds`,
      );
    const claim = header.pax?.[CLAIM];
    return {
      kind: type === 'block-device' ? 'block' : 'character',
      rdev: `${header.devmajor}:${header.devminor}`,
      claim: claim === 'free' || claim === 'busy' ? claim : null,
      ...facts,
    };
  }
}

function readPath(name: string, refuse: Refuse): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0'))
    throw refuse(`it holds a path outside of it, ${quote(name)}`);
  if (name.length > LONGEST_PATH) throw refuse('it holds a path that is too long');
  return `/${parts.join('/')}`;
}

/** A relative link must stay below the top; an absolute one begins there by itself. */
function checkTarget(path: string, target: string, refuse: Refuse): string {
  let depth = target.startsWith('/') ? 0 : path.split('/').length - 2;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) throw refuse(`the link ${quote(path)} leads out of it, to ${quote(target)}`);
  }
  if (target === '' || target.length > LONGEST_PATH) throw refuse(`the link ${quote(path)} leads nowhere`);
  return target;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
