import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { root, runCommand } from './command.mjs';

/** Runs shellcheck over every shell script of the project; null where there is no shellcheck, else whether it is content. */
export async function checkShell() {
  const scripts = findScripts(root);
  const folder = mkdtempSync(join(tmpdir(), 'passqemu-shell-'));
  try {
    const files = scripts.map((file) => (basename(file) === 'head.sh' ? withoutEnd(file, folder) : file));
    const { status, output } = await runCommand([
      'shellcheck',
      '--severity=warning',
      '--exclude=SC2148',
      ...files,
    ]);
    if (status !== 0) process.stdout.write(output);
    return { ok: status === 0, count: scripts.length };
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Paths in the checkout of what ends in .sh or begins with a line that names a shell. */
function findScripts(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', '.git', 'dist', 'coverage'].includes(entry.name) ? [] : findScripts(path);
    return entry.isFile() && (entry.name.endsWith('.sh') || isShell(path)) ? [relative(root, path)] : [];
  });
}

function isShell(path) {
  const bytes = Buffer.alloc(64);
  const descriptor = openSync(path, 'r');
  const length = readSync(descriptor, bytes);
  closeSync(descriptor);
  return /^#!\/(usr\/)?bin\/(env )?(ba)?sh\b/.test(bytes.toString('latin1', 0, length));
}

/** The head of a bundle ends where JavaScript begins: sh never reads that far. */
function withoutEnd(file, folder) {
  const copy = join(folder, file.replaceAll('/', '-'));
  // Behind exec shellcheck sees nothing amiss, only the end of the comment that node reads
  const text = readFileSync(join(root, file), 'utf8').replace(/\*\/\s*$/, '');
  writeFileSync(copy, text);
  return copy;
}
