import type { RunOptions, RunResult } from '../../lib/host/host.ts';
import type { FakeHost } from './fake-host.ts';
import { FakeTree } from './fake-tree.ts';

type WriteHandler = (path: string, text: string, host: FakeHost) => void;
type RunHandler = (
  argv: readonly string[],
  host: FakeHost,
  options: RunOptions,
) => Partial<RunResult> | undefined;
/** What the kernel does with a folder of its own: fills a new cgroup, refuses to remove one in use. */
type FolderHandler = (path: string, act: 'made' | 'removing', host: FakeHost) => void;
/** Who takes a connection: gives what answers each thing said on it. */
type SocketHandler = (host: FakeHost) => (said: Buffer) => Buffer;
type SpawnHandler = (argv: readonly string[], pid: number, host: FakeHost) => void;

/** How a test builds the machine, and looks at it: none of this counts as a call of ours. */
export class FakeMachine {
  readonly tree: FakeTree;
  protected readonly world: World;

  constructor(world: World) {
    this.world = world;
    this.tree = world.tree;
  }

  put(path: string, text: string, mode = 0o644): this {
    this.tree.set(this.realName(path), { kind: 'file', text, mode });
    return this;
  }
  putLink(path: string, target: string): this {
    this.tree.set(path, { kind: 'link', target });
    return this;
  }
  putDevice(path: string, type: 'block' | 'character', rdev: string): this {
    this.tree.set(path, { kind: 'device', type, rdev });
    return this;
  }
  putFolder(path: string): this {
    this.tree.folder(path);
    return this;
  }
  drop(path: string): this {
    this.tree.delete(path);
    return this;
  }
  /** The text of a file as it is, without counting. */
  peek(path: string): string | null {
    const node = this.tree.get(path);
    return node?.kind === 'file' ? node.text : null;
  }
  /** The target of a link as it is, without counting. */
  peekLink(path: string): string | null {
    const node = this.tree.get(path, true);
    return node?.kind === 'link' ? node.target : null;
  }
  onWrite(pattern: string | RegExp, handler: WriteHandler): this {
    this.world.writes.push([pattern, handler]);
    return this;
  }
  onFolder(pattern: RegExp, handler: FolderHandler): this {
    this.world.folders.push([pattern, handler]);
    return this;
  }
  onRun(program: string, handler: RunHandler): this {
    this.world.programs.set(program, handler);
    return this;
  }
  /** What dead processes have asked for is done, in the order in which they asked. */
  deliverLate(): void {
    for (const act of this.world.late.splice(0)) act();
  }
  /** Puts a socket on which somebody listens. */
  onExchange(path: string, handler: SocketHandler): this {
    this.world.sockets.set(path, handler);
    return this;
  }
  onSpawn(program: string, handler: SpawnHandler): this {
    this.world.spawns.set(program, handler);
    return this;
  }
  /** Puts a process into /proc; gives its number. */
  spawnProcess(argv: readonly string[]): number {
    return this.world.spawn(argv);
  }
  endProcess(pid: number): void {
    this.world.exit(pid);
  }
  get clock(): number {
    return this.world.clock;
  }
  set clock(ms: number) {
    this.world.clock = ms;
  }

  /** Marks a block device as claimed by the kernel. */
  setBusy(path: string): this {
    this.world.busy.add(path);
    return this;
  }
  /** Takes that back. */
  setFree(path: string): this {
    this.world.busy.delete(path);
    return this;
  }
  /** Makes writes to a path hang; `meanwhile` is what the kernel does before it gets stuck. */
  setStuck(path: string, meanwhile: () => void = () => {}): this {
    this.world.stuck.set(path, meanwhile);
    return this;
  }

  /** A path as it is with all links followed, where there is one. */
  protected realName(path: string): string {
    return this.tree.resolve(path) ?? path;
  }
}

/** What outlives a process of ours: the tree, the handlers, the clock, who holds the lock. */
export class World {
  readonly tree = new FakeTree();
  readonly writes: [string | RegExp, WriteHandler][] = [];
  readonly folders: [RegExp, FolderHandler][] = [];
  readonly programs = new Map<string, RunHandler>();
  readonly spawns = new Map<string, SpawnHandler>();
  readonly sockets = new Map<string, SocketHandler>();
  readonly late: (() => void)[] = [];
  readonly busy = new Set<string>();
  readonly stuck = new Map<string, () => void>();
  lockedBy: number | null = null;
  writer: number | null = null;
  #clock = 1_000_000;
  #lastPid = 1000;
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  get clock(): number {
    return this.#clock;
  }
  set clock(ms: number) {
    this.#clock = ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > ms || !this.#timers.delete(timer)) continue;
      timer.act();
    }
  }
  later(ms: number, act: () => void): () => void {
    const timer = { at: this.#clock + ms, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  spawn(argv: readonly string[]): number {
    const pid = ++this.#lastPid;
    const stat = `${pid} (x) S 1 ${'0 '.repeat(17)}${pid * 10} 0 0`;
    this.tree.set(`/proc/${pid}/stat`, { kind: 'file', text: stat, mode: 0o444 });
    this.tree.set(`/proc/${pid}/cmdline`, { kind: 'file', text: `${argv.join('\0')}\0`, mode: 0o444 });
    this.tree.set(`/proc/${pid}/comm`, { kind: 'file', text: argv[0]?.split('/').at(-1) ?? '', mode: 0o444 });
    return pid;
  }
  exit(pid: number): void {
    this.tree.delete(`/proc/${pid}`);
  }
}
