import { HostError } from '../words/errors.ts';
import type { Host, PathFacts, ProcessIdentity, RunOptions, RunResult, Saying } from './host.ts';
import { FOLDER_FACTS, type RecordedFacts, RecordedTree } from './recorded-tree.ts';

const SEEN: RecordedFacts = { mode: 0, uid: 0, gid: 0 };

/**
 * A Host that notes all that is read through it: whatever a reader asked on the machine is there for the same reader on the
 * recorded one, and nothing else is. Only reading is possible.
 */
export class RecordingHost implements Host {
  readonly root: string;
  readonly tree = new RecordedTree();
  readonly #host: Host;
  /** Where folders really are, by the path they were asked by; null for what is not there. */
  readonly #real = new Map<string, string | null>([['', '']]);
  readonly #answers = new Map<string, unknown>();

  constructor(host: Host) {
    this.root = host.root;
    this.#host = host;
  }

  read(path: string): string {
    return this.#once('read', path, () =>
      this.#note(
        path,
        this.#orThere(path, () => this.#host.read(path)),
      ),
    );
  }
  readOptional(path: string): string | null {
    return this.#once('readOptional', path, () => {
      const text = this.#host.readOptional(path);
      if (text === null) this.exists(path);
      return text === null ? null : this.#note(path, text);
    });
  }
  readBytes(path: string, limit?: number): Buffer {
    return this.#once(`readBytes ${limit}`, path, () => {
      const bytes = this.#orThere(path, () => this.#host.readBytes(path, limit));
      this.#putFile(path, bytes);
      return bytes;
    });
  }
  list(path: string): string[] {
    const names = this.#once('list', path, () => {
      const found = this.#host.list(path);
      const real = this.#follow(path);
      if (real !== null && (found.length > 0 || this.#facts(path)?.kind === 'folder')) {
        this.tree.folder(real);
        for (const name of found) this.tree.put(`${real}/${name}`, { kind: 'file', bytes: null, ...SEEN });
      }
      return found;
    });
    return [...names];
  }
  linkName(path: string): string | null {
    return this.#once('linkName', path, () => {
      const name = this.#host.linkName(path);
      if (name === null) return name;
      // One that leads to nothing that has a path ("socket:[7]", a removed file) is still a link of that name
      if (this.#follow(path) === null) this.#putAt(path, { kind: 'link', target: name });
      return name;
    });
  }
  realPath(path: string): string | null {
    return this.#once('realPath', path, () => {
      const real = this.#host.realPath(path);
      if (real !== null) this.exists(path);
      return real;
    });
  }
  exists(path: string): boolean {
    return this.#once('exists', path, () => {
      const exists = this.#host.exists(path);
      if (exists) this.stat(path, 'follow');
      return exists;
    });
  }
  stat(path: string, follow?: 'follow'): PathFacts | null {
    return this.#once(`stat ${follow}`, path, () => {
      const facts = follow === 'follow' ? this.#facts(path) : this.#host.stat(path);
      if (facts === null) return facts;
      const { kind, mode, uid, gid, rdev } = facts;
      const at = this.#follow(path);
      if (at === null) return facts;
      if (kind === 'folder') this.tree.folder(at, { mode, uid, gid });
      else if ((kind === 'block' || kind === 'character') && rdev !== null) {
        this.tree.put(at, { kind, rdev, claim: null, mode, uid, gid });
      } else if (kind === 'file') this.tree.put(at, { kind: 'file', bytes: null, mode, uid, gid });
      return facts;
    });
  }
  claimable(path: string): 'free' | 'busy' | 'unknown' {
    return this.#once('claimable', path, () => {
      const claim = this.#host.claimable(path);
      const facts = this.#facts(path);
      const at = this.#follow(path);
      if (facts?.rdev == null || at === null || claim === 'unknown') return claim;
      const { kind, mode, uid, gid, rdev } = facts;
      const folder = this.tree.folder(at.slice(0, at.lastIndexOf('/')));
      if (kind === 'block' || kind === 'character')
        folder.children.set(at.slice(at.lastIndexOf('/') + 1), { kind, rdev, claim, mode, uid, gid });
      return claim;
    });
  }

  now(): number {
    return this.#host.now();
  }
  sleep(ms: number): Promise<void> {
    return this.#host.sleep(ms);
  }
  later(ms: number, act: () => void): () => void {
    return this.#host.later(ms, act);
  }
  self(): ProcessIdentity {
    return this.#host.self();
  }
  exchange(path: string, sayings: readonly Saying[], timeoutMs: number): Promise<Buffer> {
    return this.#host.exchange(path, sayings, timeoutMs);
  }
  run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    return this.#once('run', argv.join('\0'), () => this.#host.run(argv, options));
  }
  signal(): boolean {
    return false;
  }
  log(...words: Parameters<Host['log']>): void {
    this.#host.log(...words);
  }
  write(path: string): never {
    throw refusal(path);
  }
  writeSlowly(path: string): Promise<void> {
    return Promise.reject(refusal(path));
  }
  startWriter(): never {
    throw refusal('/sys');
  }
  makeFolder(path: string): never {
    throw refusal(path);
  }
  replaceFile(path: string): never {
    throw refusal(path);
  }
  createFile(path: string): never {
    throw refusal(path);
  }
  overwrite(path: string): never {
    throw refusal(path);
  }
  changeOwner(path: string): never {
    throw refusal(path);
  }
  remove(path: string): never {
    throw refusal(path);
  }
  spawnDetached(): never {
    throw refusal('/proc');
  }
  lock(path: string): Promise<void> {
    return Promise.reject(refusal(path));
  }
  unlock(): void {}

  /** The answer to a question that was asked before: the recorded machine is that of one moment, and each path is asked once. */
  #once<T>(question: string, path: string, ask: () => T): T {
    const key = `${question} ${path}`;
    if (!this.#answers.has(key)) this.#answers.set(key, ask());
    return this.#answers.get(key) as T;
  }

  /** What the path is, links followed. */
  #facts(path: string): PathFacts | null {
    return this.#once('facts', path, () => this.#host.stat(path, 'follow'));
  }

  /** What will not be read is there all the same. */
  #orThere<T>(path: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.exists(path);
      throw error;
    }
  }

  #note(path: string, text: string): string {
    this.#putFile(path, Buffer.from(text === '' ? '' : `${text}\n`));
    return text;
  }

  #putFile(path: string, bytes: Buffer): void {
    const at = this.#follow(path);
    const { mode, uid, gid } = this.#facts(path) ?? { mode: 0o444, uid: 0, gid: 0 };
    if (at !== null) this.tree.put(at, { kind: 'file', bytes, mode: mode | 0o400, uid, gid });
  }

  /** Puts a node at a path whose last part is not followed. */
  #putAt(path: string, node: Parameters<RecordedTree['put']>[1]): void {
    const at = path.lastIndexOf('/');
    const folder = this.#follow(path.slice(0, at));
    if (folder !== null) this.tree.put(`${folder}/${path.slice(at + 1)}`, node);
  }

  /** Where a path really is, every link on the way noted; null where it is nowhere. */
  #follow(path: string): string | null {
    const clean = path.replace(/\/+$/, '');
    const known = this.#real.get(clean);
    if (known !== undefined) return known;
    const at = clean.lastIndexOf('/');
    const folder = this.#follow(clean.slice(0, at));
    const real = folder === null ? null : this.#step(clean, folder);
    // Processes come and go: what they are asked is asked once
    this.#real.set(clean, real);
    return real;
  }

  #step(path: string, folder: string): string | null {
    const plain = `${folder}/${path.slice(path.lastIndexOf('/') + 1)}`;
    if (this.#host.linkName(path) === null) return this.#facts(path) === null ? null : plain;
    const real = this.#host.realPath(path);
    if (real === null) return null;
    const way = real.split('/').filter((part) => part !== '');
    const up = folder.split('/').filter((part) => part !== '');
    while (way.length > 0 && way[0] === up[0]) {
      way.shift();
      up.shift();
    }
    const target = [...up.map(() => '..'), ...way].join('/') || '.';
    this.tree.put(plain, { kind: 'link', target });
    // What the link leads to must be there, or the link would lead nowhere
    if (this.#facts(real)?.kind === 'folder') this.tree.folder(real, FOLDER_FACTS);
    else if (this.tree.find(real, true) === null) this.tree.put(real, { kind: 'file', bytes: null, ...SEEN });
    return real === '/' ? '' : real;
  }
}

function refusal(path: string): HostError {
  return new HostError(`Cannot change ${path}: the machine is being recorded`, { code: 'EROFS', path });
}
