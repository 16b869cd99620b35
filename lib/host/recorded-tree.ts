import type { PathFacts } from './host.ts';

/** One thing of a recorded machine. A file without `bytes` was only seen, not read: reading it fails as it would for somebody without the right to. */
export type RecordedNode =
  | ({ readonly kind: 'file'; readonly bytes: Buffer | null } & RecordedFacts)
  | ({ readonly kind: 'folder'; readonly children: Map<string, RecordedNode> } & RecordedFacts)
  | { readonly kind: 'link'; readonly target: string }
  | ({
      readonly kind: 'block' | 'character';
      readonly rdev: string;
      readonly claim: 'free' | 'busy' | null;
    } & RecordedFacts);

/** Who may do what with it. */
export type RecordedFacts = Pick<PathFacts, 'mode' | 'uid' | 'gid'>;

type Folder = Extract<RecordedNode, { kind: 'folder' }>;

export const FOLDER_FACTS: RecordedFacts = { mode: 0o755, uid: 0, gid: 0 };
const MOST_LINKS = 40;

/** A machine's files in memory. Links lead nowhere else than into the tree: its top is the root of all of them. */
export class RecordedTree {
  readonly top: Folder = { kind: 'folder', children: new Map(), ...FOLDER_FACTS };

  /** The node at a path and where it really is; the last part is followed unless `keepLast`. Null where there is none. */
  find(path: string, keepLast = false): { readonly node: RecordedNode; readonly path: string } | null {
    const todo = path.split('/').reverse();
    const way: Folder[] = [this.top];
    const names: string[] = [];
    let here: RecordedNode = this.top;
    for (let links = 0; todo.length > 0; ) {
      const name = todo.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (names.length > 0) {
          names.pop();
          way.pop();
        }
        here = way.at(-1)!;
        continue;
      }
      if (here.kind !== 'folder') return null;
      const next = here.children.get(name);
      if (next === undefined) return null;
      if (next.kind === 'link' && !(keepLast && todo.every((part) => part === ''))) {
        if (++links > MOST_LINKS) return null;
        if (next.target.startsWith('/')) {
          way.length = 1;
          names.length = 0;
        }
        todo.push(...next.target.split('/').reverse());
        here = way.at(-1)!;
        continue;
      }
      names.push(name);
      here = next;
      if (next.kind === 'folder') way.push(next);
      else if (todo.some((part) => part !== '')) return null;
    }
    return { node: here, path: `/${names.join('/')}` };
  }

  /** Puts a node where there is none yet, or in the place of one that was only seen; the folders above it are made. */
  put(path: string, node: RecordedNode): void {
    const at = path.lastIndexOf('/');
    const { children } = this.folder(path.slice(0, at));
    const name = path.slice(at + 1);
    const old = children.get(name);
    const tellsMore = old === undefined || (isBare(old) && (!isBare(node) || old.mode === 0));
    if (name !== '' && tellsMore) children.set(name, node);
  }

  /** The folder at a path without links in it, made where it is missing or was only seen. */
  folder(path: string, { mode, uid, gid }: RecordedFacts = FOLDER_FACTS): Folder {
    let here = this.top;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const next = here.children.get(name);
      if (next?.kind === 'folder') here = next;
      else if (next !== undefined && !isBare(next)) throw new Error(`${path} leads through a ${next.kind}`);
      else {
        const made: Folder = { kind: 'folder', children: new Map(), mode, uid, gid };
        here.children.set(name, made);
        here = made;
      }
    }
    return here;
  }
}

/** Every node but the top with its path, folders before what is in them. */
export function* walkTree(
  { children }: Folder,
  above = '',
): Generator<{ readonly path: string; readonly node: RecordedNode }> {
  for (const [name, node] of children) {
    const path = `${above}/${name}`;
    yield { path, node };
    if (node.kind === 'folder') yield* walkTree(node, path);
  }
}

function isBare(node: RecordedNode): node is Extract<RecordedNode, { kind: 'file' }> {
  return node.kind === 'file' && node.bytes === null;
}
