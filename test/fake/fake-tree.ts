/** A file, a link or a folder of the fake machine. */
export type TreeNode =
  | { kind: 'file'; text: string; mode: number }
  | { kind: 'device'; type: 'block' | 'character'; rdev: string; uid?: number; gid?: number }
  | { kind: 'link'; target: string }
  | { kind: 'folder'; children: Map<string, TreeNode>; mode: number; uid?: number; gid?: number };

type Folder = Extract<TreeNode, { kind: 'folder' }>;

/** An in-memory file tree with symbolic links; paths are absolute. */
export class FakeTree {
  readonly top: Folder = { kind: 'folder', children: new Map(), mode: 0o755 };

  /** Where a path really is; null where a part of it is missing. The last component is followed unless `keepLast`. */
  resolve(path: string, keepLast = false, depth = 0): string | null {
    if (depth > 40) return null;
    const done: string[] = [];
    const parts = path.split('/').filter((part) => part !== '');
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]!;
      if (part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      const node = this.#child(done, part);
      if (node === null) return null;
      if (node.kind === 'link' && !(keepLast && at === parts.length - 1)) {
        const base = node.target.startsWith('/') ? node.target : `/${done.join('/')}/${node.target}`;
        return this.resolve(`${base}/${parts.slice(at + 1).join('/')}`, keepLast, depth + 1);
      }
      done.push(part);
    }
    return `/${done.join('/')}`;
  }

  /** The node at a path, links followed; null where there is none. */
  get(path: string, keepLast = false): TreeNode | null {
    const real = this.resolve(path, keepLast);
    if (real === null) return null;
    let node: TreeNode = this.top;
    for (const part of real.split('/')) {
      if (part === '') continue;
      if (node.kind !== 'folder') return null;
      const next = node.children.get(part);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  /** Puts a node, making the folders above it. */
  set(path: string, node: TreeNode): void {
    const at = path.lastIndexOf('/');
    this.folder(path.slice(0, at)).children.set(path.slice(at + 1), node);
  }

  /** The folder at a path, made where it is missing. */
  folder(path: string): Folder {
    let here = this.top;
    let walked = '';
    for (const part of path.split('/')) {
      if (part === '') continue;
      walked += `/${part}`;
      const real = this.get(walked);
      if (real !== null && real.kind === 'folder') here = real;
      else if (real !== null) throw new Error(`FakeTree: ${walked} is not a folder`);
      else {
        const made: Folder = { kind: 'folder', children: new Map(), mode: 0o755 };
        here.children.set(part, made);
        here = made;
      }
    }
    return here;
  }

  /** Removes a node and what is below it. */
  delete(path: string): boolean {
    const real = this.resolve(path, true);
    if (real === null) return false;
    const at = real.lastIndexOf('/');
    const parent = this.get(real.slice(0, at) || '/');
    return parent?.kind === 'folder' && parent.children.delete(real.slice(at + 1));
  }

  /** Every file and link below a path as "path = text" or "path -> target", for comparing two states of a machine. */
  dump(path = '', node: TreeNode = this.top, out: string[] = []): string[] {
    if (node.kind === 'folder') {
      for (const [name, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
        this.dump(`${path}/${name}`, child, out);
      }
    } else if (node.kind === 'file') out.push(`${path} = ${node.text}`);
    else if (node.kind === 'link') out.push(`${path} -> ${node.target}`);
    else out.push(`${path} ${node.type} ${node.rdev}`);
    return out;
  }

  #child(parts: readonly string[], name: string): TreeNode | null {
    let node: TreeNode = this.top;
    for (const part of parts) {
      if (node.kind !== 'folder') return null;
      const next = node.children.get(part);
      if (next === undefined) return null;
      node = next;
    }
    return node.kind === 'folder' ? (node.children.get(name) ?? null) : null;
  }
}
