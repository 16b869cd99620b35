import { moduleFolderName } from '../words/vfio-driver.ts';
import type { Host } from './host.ts';

/** One command of modprobe.d(5) that matters to us, with the file that has it; module names as the kernel keeps them. */
export type ModprobeLine = { readonly file: string; readonly module: string } & (
  | { readonly command: 'options'; readonly options: Readonly<Record<string, string>> }
  | { readonly command: 'blacklist' }
  | { readonly command: 'softdep'; readonly before: readonly string[]; readonly after: readonly string[] }
  | { readonly command: 'install'; readonly does: string }
);

/** The strongest first: of files with one name only the strongest counts. */
const FOLDERS = ['/etc/modprobe.d', '/run/modprobe.d', '/usr/local/lib/modprobe.d', '/usr/lib/modprobe.d'];

/** Reads the configuration of modprobe(8). */
export function readModprobeConfig(host: Host): readonly ModprobeLine[] {
  const files = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const name of host.list(folder)) {
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${folder}/${name}`);
    }
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, path]) => parseModprobeConfig(host.readOptional(path) ?? '', path));
}

/** Reads one file; a line that ends in a backslash goes on in the next. */
export function parseModprobeConfig(text: string, file: string): readonly ModprobeLine[] {
  const found: ModprobeLine[] = [];
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const [command = '', name = '', ...rest] = line.trim().split(/\s+/);
    if (name === '') continue;
    const module = moduleFolderName(name);
    if (command === 'options') {
      const pairs = rest.map((word) => word.replaceAll('"', '').split(/=(.*)/s));
      found.push({
        command,
        file,
        module,
        options: Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])),
      });
    } else if (command === 'blacklist') found.push({ command, file, module });
    else if (command === 'install') found.push({ command, file, module, does: rest.join(' ') });
    else if (command === 'softdep') {
      const after = rest.indexOf('post:');
      const before = rest.slice(rest.indexOf('pre:') + 1, after < 0 ? undefined : after);
      found.push({
        command,
        file,
        module,
        before: rest.includes('pre:') ? before.map(moduleFolderName) : [],
        after: after < 0 ? [] : rest.slice(after + 1).map(moduleFolderName),
      });
    }
  }
  return found;
}
