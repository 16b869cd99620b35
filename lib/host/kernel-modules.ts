import { moduleFolderName } from '../words/vfio-driver.ts';
import type { Host } from './host.ts';

/** In the kernel already, there to be loaded, not there, or no way to tell (no list of modules). */
export type ModuleState = 'loaded' | 'loadable' | 'absent' | 'unknown';

/** Where the modules of the running kernel lie, with the lists that depmod(8) makes; null where nobody knows. */
export function readModuleFolder(host: Host): string | null {
  const release = host.readOptional('/proc/sys/kernel/osrelease') ?? '';
  if (!/^[\w.+~-]+$/.test(release)) return null;
  // The last is NixOS
  const roots = ['/lib/modules', '/usr/lib/modules', '/run/booted-system/kernel-modules/lib/modules'];
  return roots.map((root) => `${root}/${release}`).find((folder) => host.exists(folder)) ?? null;
}

/** Whether modules are in the kernel or could be loaded, from /sys/module and depmod's lists; by the kernel's names for them. */
export function readModuleStates(host: Host, modules: Iterable<string>): ReadonlyMap<string, ModuleState> {
  const states = new Map<string, ModuleState>();
  let lists: { readonly loadable: string | null; readonly builtIn: string | null } | null = null;
  for (const name of [...modules].map(moduleFolderName)) {
    if (host.exists(`/sys/module/${name}`)) {
      states.set(name, 'loaded');
      continue;
    }
    lists ??= readLists(host);
    const file = `/${name}.ko`;
    if (lists.builtIn?.includes(file)) states.set(name, 'loaded');
    else if (lists.loadable === null) states.set(name, 'unknown');
    else states.set(name, lists.loadable.includes(file) ? 'loadable' : 'absent');
  }
  return states;
}

/** The paths of all modules, with one spelling of their names. */
function readLists(host: Host): { readonly loadable: string | null; readonly builtIn: string | null } {
  const folder = readModuleFolder(host);
  const read = (list: string) =>
    folder === null ? null : (host.readOptional(`${folder}/${list}`)?.replaceAll('-', '_') ?? null);
  return { loadable: read('modules.dep'), builtIn: read('modules.builtin') };
}
