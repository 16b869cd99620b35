import type { Host, PathFacts, ProcessIdentity, RunOptions, RunResult, Saying } from '../../lib/host/host.ts';
import { HostError } from '../../lib/words/errors.ts';
import { FakeMachine, World } from './fake-machine.ts';

/** Thrown when the process is killed in the middle; nothing of it runs on, as after kill -9. */
export class Died extends Error {}

/**
 * What happens at the N-th call: the process dies before it, in the middle of it (a torn append, a write that the writer still carries
 * out), right after it has asked somebody who will only get to it later, or the call fails with an errno.
 */
export type Fault = { readonly at: number; readonly how: 'die' | 'die-in' | 'die-late' | string };

/** A machine in memory that answers writes as the kernel does, counts every call and can die or fail at any of them. */
export class FakeHost extends FakeMachine implements Host {
  readonly root = '/';
  readonly calls: string[] = [];
  readonly logged: string[] = [];
  fault: Fault | null = null;
  #dead = false;
  #pid: number;

  constructor(world: World = new World()) {
    super(world);
    this.#pid = world.spawn(['node', 'passqemu']);
  }

  /** The same machine, as seen by a new process of ours; the old one is gone and its lock with it. */
  restart(): FakeHost {
    this.world.exit(this.#pid);
    if (this.world.writer !== null) this.world.exit(this.world.writer);
    this.world.writer = null;
    this.world.lockedBy = null;
    return new FakeHost(this.world);
  }

  read(path: string): string {
    this.#call('read', path);
    return clean(this.#text(path));
  }
  readOptional(path: string): string | null {
    this.#call('readOptional', path);
    const node = this.tree.get(path);
    return node?.kind === 'file' ? clean(node.text) : null;
  }
  readBytes(path: string, limit = 16 << 20): Buffer {
    this.#call('readBytes', path);
    return Buffer.from(this.#text(path)).subarray(0, limit);
  }
  list(path: string): string[] {
    this.#call('list', path);
    const node = this.tree.get(path);
    return node?.kind === 'folder' ? [...node.children.keys()].sort() : [];
  }
  linkName(path: string): string | null {
    this.#call('linkName', path);
    return this.peekLink(path)?.split('/').at(-1) ?? null;
  }
  realPath(path: string): string | null {
    this.#call('realPath', path);
    return this.tree.resolve(path);
  }
  exists(path: string): boolean {
    this.#call('exists', path);
    return this.tree.get(path) !== null;
  }
  stat(path: string, follow?: 'follow'): PathFacts | null {
    this.#call('stat', path);
    const node = this.tree.get(path, follow === undefined);
    if (node === null) return null;
    const kind = node.kind === 'device' ? node.type : node.kind;
    const mode = node.kind === 'file' || node.kind === 'folder' ? node.mode : 0o777;
    const sizeBytes = node.kind === 'file' ? Buffer.byteLength(node.text) : 0;
    return {
      kind,
      mode,
      uid: ('uid' in node && node.uid) || 0,
      gid: ('gid' in node && node.gid) || 0,
      sizeBytes,
      changedMs: 0,
      rdev: node.kind === 'device' ? node.rdev : null,
      device: '0:1',
    };
  }
  claimable(path: string): 'free' | 'busy' | 'unknown' {
    this.#call('claimable', path);
    return this.world.busy.has(path) ? 'busy' : this.tree.get(path) === null ? 'unknown' : 'free';
  }

  write(path: string, text: string): void {
    this.#call('write', `${path} = ${JSON.stringify(text)}`);
    this.#answer(path, text);
  }
  async writeSlowly(path: string, text: string, deadlineMs: number): Promise<void> {
    this.#call('writeSlowly', `${path} = ${JSON.stringify(text)}`, () => this.#answer(path, text));
    const meanwhile = this.world.stuck.get(path);
    if (meanwhile !== undefined) {
      meanwhile();
      this.world.clock += deadlineMs;
      this.world.writer = null;
      throw new HostError(`Cannot write ${path}: the kernel has not answered for ${deadlineMs} ms`, {
        code: 'ETIMEDOUT',
        path,
      });
    }
    this.#answer(path, text);
  }
  startWriter(): ProcessIdentity {
    this.#call('startWriter', '');
    // It ends with us, as the pipe between us does; one that the kernel holds on to is left to itself
    this.world.writer ??= this.world.spawn(['/bin/sh', 'writer']);
    return { pid: this.world.writer, startTicks: this.world.writer * 10 };
  }

  makeFolder(path: string, mode: number): void {
    this.#call('makeFolder', path);
    const isNew = this.tree.get(path) === null;
    this.tree.folder(path).mode = mode;
    if (isNew) this.#folder(path, 'made');
  }
  replaceFile(path: string, text: string, mode: number): void {
    this.#call('replaceFile', path);
    this.put(path, text, mode);
  }
  createFile(path: string, text: string, mode: number): void {
    this.#call('createFile', path, () => this.put(path, text.slice(0, text.length / 2), mode));
    if (this.tree.get(path) !== null) throw failure('create', path, 'EEXIST');
    this.put(path, text, mode);
  }
  overwrite(path: string, offset: number, text: string): void {
    this.#call('overwrite', `${path} @${offset}`, () =>
      this.#splice(path, offset, text.slice(0, text.length / 2)),
    );
    this.#splice(path, offset, text);
  }
  changeOwner(path: string, uid: number, gid: number): void {
    const act = () => {
      const node = this.tree.get(path, true);
      if (node === null) throw failure('chown', path, 'ENOENT');
      if (node.kind !== 'device' && node.kind !== 'folder') throw failure('chown', path, 'EPERM');
      this.tree.set(path, { ...node, uid, gid });
    };
    this.#call('changeOwner', path, act);
    act();
  }
  remove(path: string): void {
    this.#call('remove', path);
    const node = this.tree.get(path, true);
    if (node?.kind === 'folder') this.#folder(path, 'removing');
    if (node?.kind === 'folder' && node.children.size > 0 && !path.startsWith('/sys/fs/cgroup')) {
      throw failure('remove', path, 'ENOTEMPTY');
    }
    this.tree.delete(path);
  }

  now(): number {
    return this.world.clock;
  }
  async sleep(ms: number): Promise<void> {
    this.#call('sleep', `${ms}`);
    this.world.clock += ms;
  }
  later(ms: number, act: () => void): () => void {
    return this.world.later(ms, act);
  }
  self(): ProcessIdentity {
    return { pid: this.#pid, startTicks: this.#pid * 10 };
  }
  async run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    const act = (): RunResult => {
      const handler = this.world.programs.get(argv[0] ?? '');
      if (handler === undefined) throw failure('run', argv[0] ?? '', 'ENOENT');
      return { status: 0, stdout: '', stderr: '', timedOut: false, ...handler(argv, this, options) };
    };
    this.#call('run', argv.join(' '), act);
    return act();
  }
  async exchange(path: string, sayings: readonly Saying[], timeoutMs: number): Promise<Buffer> {
    const connect = this.world.sockets.get(path);
    const act = (): Buffer => {
      if (connect === undefined) throw failure('talk to', path, 'ENOENT');
      const answer = connect(this);
      let heard = Buffer.alloc(0);
      for (const { bytes, isAnswered } of sayings) {
        heard = Buffer.concat([heard, answer(Buffer.from(bytes))]);
        let answered: boolean;
        try {
          answered = isAnswered(heard);
        } catch {
          throw failure('talk to', path, 'EPROTO');
        }
        if (answered) continue;
        this.world.clock += timeoutMs;
        throw failure('talk to', path, 'ETIMEDOUT');
      }
      return heard;
    };
    this.#call('exchange', path, act);
    this.deliverLate();
    return act();
  }
  spawnDetached(argv: readonly string[]): number {
    const act = (): number => {
      const pid = this.world.spawn(argv);
      this.world.spawns.get(argv[0] ?? '')?.(argv, pid, this);
      return pid;
    };
    this.#call('spawnDetached', argv.join(' '), act);
    return act();
  }
  signal(process: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
    this.#call('signal', `${process.pid} ${signal}`);
    if (this.tree.get(`/proc/${process.pid}`) === null) return false;
    this.world.exit(process.pid);
    return true;
  }
  async lock(path: string, note: string, waitMs: number, onWait: (holder: string) => void): Promise<void> {
    this.#call('lock', path);
    if (this.world.lockedBy !== null && this.world.lockedBy !== this.#pid) {
      onWait('another');
      this.world.clock += waitMs;
      throw failure('lock', path, 'ETIMEDOUT');
    }
    this.world.lockedBy = this.#pid;
    this.put(path, note);
  }
  unlock(): void {
    if (this.world.lockedBy === this.#pid) this.world.lockedBy = null;
  }
  log(priority: string, line: string): void {
    this.logged.push(`${priority}: ${line}`);
  }

  #folder(path: string, act: 'made' | 'removing'): void {
    for (const [pattern, handler] of this.world.folders) if (pattern.test(path)) handler(path, act, this);
  }

  #call(name: string, what: string, inTheMiddle?: () => void): void {
    if (this.#dead) throw new Died();
    this.calls.push(`${name} ${what}`);
    if (this.fault === null || this.calls.length !== this.fault.at) return;
    if (this.fault.how.startsWith('die')) {
      this.#dead = true;
      if (this.fault.how === 'die-late' && inTheMiddle !== undefined) this.world.late.push(inTheMiddle);
      if (this.fault.how === 'die-in') {
        try {
          inTheMiddle?.();
        } catch {
          // whatever it would have said, nobody hears it any more
        }
      }
      throw new Died();
    }
    throw failure(name, what, this.fault.how);
  }
  #answer(path: string, text: string): void {
    if (this.tree.get(path)?.kind !== 'file') throw failure('write', path, 'ENOENT');
    const real = this.realName(path);
    for (const [pattern, handler] of this.world.writes) {
      const match =
        typeof pattern === 'string'
          ? pattern === path || pattern === real
          : pattern.test(path) || pattern.test(real);
      if (match) {
        handler(path, text, this);
        return;
      }
    }
    this.put(path, text);
  }
  #splice(path: string, offset: number, text: string): void {
    const old = Buffer.from(this.#text(path));
    const added = Buffer.from(text);
    const whole = Buffer.alloc(Math.max(old.length, offset + added.length), ' ');
    old.copy(whole);
    added.copy(whole, offset);
    this.put(path, whole.toString());
  }
  #text(path: string): string {
    const node = this.tree.get(path);
    if (node?.kind !== 'file') throw failure('read', path, node === null ? 'ENOENT' : 'EISDIR');
    return node.text;
  }
}

function clean(text: string): string {
  return text.replace(/[\s\0]+$/, '');
}

function failure(act: string, what: string, code: string): HostError {
  return new HostError(`Cannot ${act} ${what}: ${code}`, { code, path: what });
}
