import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { FakeHost } from './fake-host.ts';
import type { TreeNode } from './fake-tree.ts';

/** Writes the fake machine's tree to a folder of the disk, with links made relative as in sysfs; device nodes are left out. */
export function writeTree(host: FakeHost, folder: string): void {
  write(folder, '', host.tree.top);
}

function write(folder: string, path: string, node: TreeNode): void {
  if (node.kind === 'folder') {
    mkdirSync(folder + path, { recursive: true });
    for (const [name, child] of node.children) write(folder, `${path}/${name}`, child);
  } else if (node.kind === 'file') {
    writeFileSync(folder + path, node.text);
  } else if (node.kind === 'link') {
    const isAbsolute = node.target.startsWith('/');
    symlinkSync(isAbsolute ? relative(dirname(path), node.target) : node.target, folder + path);
  }
}
