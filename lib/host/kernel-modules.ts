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

/** Whether a module is in the kernel or could be loaded, from /sys/module and depmod's lists. */
export function readModuleState(host: Host, module: string): ModuleState {
  const name = moduleFolderName(module);
  if (host.exists(`/sys/module/${name}`)) return 'loaded';
  const folder = readModuleFolder(host);
  if (folder === null) return 'unknown';
  const lists = ['modules.dep', 'modules.builtin'].map((list) => host.readOptional(`${folder}/${list}`));
  const [loadable, builtIn] = lists.map(
    (text) => text?.replaceAll('-', '_').includes(`/${name}.ko`) ?? false,
  );
  if (builtIn) return 'loaded';
  if (loadable) return 'loadable';
  return lists[0] === null ? 'unknown' : 'absent';
}
