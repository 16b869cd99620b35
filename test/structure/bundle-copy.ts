import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './source-files.ts';

/** What libvirt gives its hooks. */
const BARE = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
};

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether node was started at all. */
  readonly node: boolean;
}

/**
 * The built hook with its folders moved into a temporary one, so that an ordinary user can run it as libvirt does, and
 * with a node that leaves a mark when it starts.
 */
export class BundleCopy {
  readonly file: string;
  readonly node: string;
  readonly configDir: string;
  readonly stateDir: string;
  readonly codeDir: string;
  readonly #folder: string;
  readonly #mark: string;

  constructor(change: (text: string) => string = (text) => text) {
    this.#folder = mkdtempSync(join(tmpdir(), 'passqemu-bundle-'));
    this.file = join(this.#folder, 'qemu');
    this.configDir = join(this.#folder, 'etc');
    this.stateDir = join(this.#folder, 'run');
    this.codeDir = join(this.#folder, 'code');
    this.#mark = join(this.#folder, 'node-was-started');
    for (const folder of [this.configDir, this.stateDir]) mkdirSync(folder, { mode: 0o755 });
    this.node = join(this.#folder, 'node');
    this.putNode(`exec '${process.execPath}' "$@"`);
    const text = changeBundle(readBundle('qemu'), (part) =>
      part
        .replaceAll('/etc/passqemu', this.configDir)
        .replaceAll('/run/passqemu', this.stateDir)
        .replaceAll('/var/cache/passqemu/code', this.codeDir),
    ).replace(/^node=.*$/m, `node=${this.node}`);
    writeProgram(this.file, change(text));
  }

  /** Another node: the lines of sh that it is. */
  putNode(script: string): void {
    writeProgram(this.node, `#!/bin/sh\n: >'${this.#mark}'\n${script}\n`);
  }

  putProfile(guest: string, text: string): void {
    writeFileSync(join(this.configDir, `${guest}.ini`), text, { mode: 0o644 });
  }

  putJournal(guest: string, text: string): void {
    writeFileSync(join(this.stateDir, `${guest}.jsonl`), text, { mode: 0o600 });
  }

  /** Runs it as libvirt would, with the domain XML on standard input. */
  run(argv: readonly string[], { xml = '', env = {}, file = this.file } = {}): Ran {
    rmSync(this.#mark, { force: true });
    const options = {
      cwd: '/',
      env: { ...BARE, ...env },
      input: xml,
      encoding: 'utf8',
      timeout: 60_000,
    } as const;
    const { status, stdout, stderr } = spawnSync(file, argv, options);
    return { status, stdout, stderr, node: existsSync(this.#mark) };
  }

  /** Whether node starts, perhaps after the hook itself has ended. */
  nodeStarts(): boolean {
    return isSoon(() => existsSync(this.#mark));
  }

  /** A file in the state folder, or null. */
  readState(name: string): string | null {
    const file = join(this.stateDir, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  /** The same, as soon as it is there. */
  awaitState(name: string): string {
    isSoon(() => this.readState(name) !== null);
    return this.readState(name) ?? '';
  }

  /** What the hook has started beside it may still be writing. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** The text of dist/qemu or dist/passqemu. */
export function readBundle(name: 'qemu' | 'passqemu'): string {
  const file = join(root, 'dist', name);
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  return readFileSync(file, 'utf8');
}

/** Changes what is in front of the parts of a bundle and each of them, and says anew where they are. */
function changeBundle(bundle: string, change: (text: string) => string): string {
  const begin = bundle.indexOf(BEGIN) + BEGIN.length;
  const [line = '', table = ''] = /^const PLACES = (.*);$/m.exec(bundle) ?? [];
  const parts = Object.entries(JSON.parse(table) as Record<string, [number, number]>);
  const places: Record<string, [number, number]> = {};
  let text = '';
  for (const [name, [from, to]] of parts) {
    const part = change(bundle.slice(begin + from, begin + to));
    places[name] = [text.length, text.length + part.length];
    text += part;
  }
  const head = change(bundle.slice(0, begin).replace(line, `const PLACES = ${JSON.stringify(places)};`));
  return `${head}${text}*/\n`;
}
const BEGIN = '\n/*parts\n';

/** What sh reads of a bundle: the lines before the one that ends the comment of node's. */
export function headOf(bundle: string): string {
  return bundle.slice(0, bundle.indexOf('\n*/') + 1);
}

function isSoon(condition: () => boolean): boolean {
  const until = Date.now() + 20_000;
  while (!condition() && Date.now() < until) spawnSync('sleep', ['0.05']);
  return condition();
}

function writeProgram(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}
