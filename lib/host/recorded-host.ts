import { HostError } from '../words/errors.ts';
import type { Host, PathFacts, ProcessIdentity, RunResult } from './host.ts';
import type { RecordedNode, RecordedTree } from './recorded-tree.ts';

const LARGEST_FILE = 16 << 20;

/**
 * A recorded machine as a Host: it can be read as the machine itself was, and nothing else. What lies below `ours` (profiles
 * and state that the caller named) is this machine's.
 */
export class RecordedHost implements Host {
  readonly root: string;
  readonly #tree: RecordedTree;
  readonly #here: Host;
  readonly #ours: readonly string[];

  constructor(name: string, tree: RecordedTree, here: Host, ours: readonly string[] = []) {
    this.root = name;
    this.#tree = tree;
    this.#here = here;
    this.#ours = ours;
  }

  read(path: string): string {
    if (this.#isOurs(path)) return this.#here.read(path);
    return trimEnd(this.#bytes(path).toString('utf8'));
  }
  readOptional(path: string): string | null {
    try {
      return this.read(path);
    } catch {
      return null;
    }
  }
  readBytes(path: string, limit = LARGEST_FILE): Buffer {
    if (this.#isOurs(path)) return this.#here.readBytes(path, limit);
    return this.#bytes(path).subarray(0, limit);
  }
  list(path: string): string[] {
    if (this.#isOurs(path)) return this.#here.list(path);
    const node = this.#tree.find(path)?.node;
    return node?.kind === 'folder' ? [...node.children.keys()].sort() : [];
  }
  linkName(path: string): string | null {
    if (this.#isOurs(path)) return this.#here.linkName(path);
    const node = this.#tree.find(path, true)?.node;
    return node?.kind === 'link' ? node.target.slice(node.target.lastIndexOf('/') + 1) : null;
  }
  realPath(path: string): string | null {
    return this.#isOurs(path) ? this.#here.realPath(path) : (this.#tree.find(path)?.path ?? null);
  }
  exists(path: string): boolean {
    return this.#isOurs(path) ? this.#here.exists(path) : this.#tree.find(path) !== null;
  }
  stat(path: string, follow?: 'follow'): PathFacts | null {
    if (this.#isOurs(path)) return this.#here.stat(path, follow);
    const node = this.#tree.find(path, follow === undefined)?.node;
    return node === undefined ? null : factsOf(node);
  }
  claimable(path: string): 'free' | 'busy' | 'unknown' {
    if (this.#isOurs(path)) return this.#here.claimable(path);
    const node = this.#tree.find(path)?.node;
    return node?.kind === 'block' || node?.kind === 'character' ? (node.claim ?? 'unknown') : 'unknown';
  }

  write(path: string): never {
    throw this.#refusal('write', path);
  }
  writeSlowly(path: string): Promise<void> {
    return Promise.reject(this.#refusal('write', path));
  }
  startWriter(): never {
    throw this.#refusal('write', '/sys');
  }
  makeFolder(path: string): never {
    throw this.#refusal('make', path);
  }
  replaceFile(path: string): never {
    throw this.#refusal('write', path);
  }
  createFile(path: string): never {
    throw this.#refusal('create', path);
  }
  overwrite(path: string): never {
    throw this.#refusal('write', path);
  }
  changeOwner(path: string): never {
    throw this.#refusal('write', path);
  }
  remove(path: string): never {
    throw this.#refusal('remove', path);
  }

  now(): number {
    return this.#here.now();
  }
  sleep(ms: number): Promise<void> {
    return this.#here.sleep(ms);
  }
  later(ms: number, act: () => void): () => void {
    return this.#here.later(ms, act);
  }
  /** The process that recorded: it is no user of any device. */
  self(): ProcessIdentity {
    const path = this.#tree.find('/proc/self')?.path ?? '';
    return { pid: Number(/^\/proc\/(\d+)$/.exec(path)?.[1] ?? 0), startTicks: 0 };
  }
  run(argv: readonly string[]): Promise<RunResult> {
    const program = argv[0] ?? '';
    return Promise.reject(
      new HostError(`Cannot run ${program}: ${this.root} is a recorded machine`, {
        code: 'ENOENT',
        path: program,
      }),
    );
  }
  exchange(path: string): Promise<Buffer> {
    return Promise.reject(this.#refusal('talk to', path));
  }
  spawnDetached(argv: readonly string[]): never {
    throw this.#refusal('run', argv[0] ?? '');
  }
  signal(): boolean {
    return false;
  }
  lock(path: string): Promise<void> {
    return Promise.reject(this.#refusal('lock', path));
  }
  unlock(): void {}
  log(...words: Parameters<Host['log']>): void {
    this.#here.log(...words);
  }

  #isOurs(path: string): boolean {
    return this.#ours.some((folder) => path === folder || path.startsWith(`${folder}/`));
  }
  #bytes(path: string): Buffer {
    const node = this.#tree.find(path)?.node;
    if (node?.kind === 'file' && node.bytes !== null) return node.bytes;
    const code = node === undefined ? 'ENOENT' : node.kind === 'folder' ? 'EISDIR' : 'EACCES';
    throw new HostError(`Cannot read ${path}: ${code}`, { code, path });
  }
  #refusal(act: string, path: string): HostError {
    return new HostError(
      `Cannot ${act} ${path}: ${this.root} is a recorded machine, which cannot be changed`,
      {
        code: 'EROFS',
        path,
      },
    );
  }
}

function factsOf(node: RecordedNode): PathFacts {
  const unknown = { changedMs: 0, device: '0:0', rdev: null, sizeBytes: 0 };
  if (node.kind === 'link') return { ...unknown, kind: 'link', mode: 0o777, uid: 0, gid: 0 };
  const { kind, mode, uid, gid } = node;
  return {
    ...unknown,
    ...{ kind, mode, uid, gid },
    sizeBytes: node.kind === 'file' ? (node.bytes?.length ?? 0) : 0,
    rdev: node.kind === 'block' || node.kind === 'character' ? node.rdev : null,
  };
}

function trimEnd(text: string): string {
  return text.replace(/[\s\0]+$/, '');
}
