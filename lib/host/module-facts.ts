import { moduleFolderName } from '../words/vfio-driver.ts';
import type { Host } from './host.ts';

/** A loaded module, who stands on it, and how often it is in use. See /sys/module in Documentation/ABI/stable/sysfs-module. */
export interface ModuleFacts {
  readonly name: string;
  readonly holders: readonly string[];
  readonly useCount: number | null;
}

/**
 * A module and all that stand on it, in the order in which they can be unloaded: nobody stands on the first, the asked-for one is
 * the last. Empty where it is not loaded, or built in (no holders folder).
 */
export function readModuleStack(host: Host, module: string): ModuleFacts[] {
  const found = new Map<string, ModuleFacts>();
  const visit = (name: string): void => {
    const folder = `/sys/module/${name}`;
    if (found.has(name) || !host.exists(`${folder}/holders`)) return;
    const holders = host.list(`${folder}/holders`);
    const count = host.readOptional(`${folder}/refcnt`) ?? '';
    found.set(name, { name, holders, useCount: /^\d{1,9}$/.test(count) ? Number(count) : null });
    for (const holder of holders) visit(holder);
  };
  visit(moduleFolderName(module));
  const order: ModuleFacts[] = [];
  const add = (facts: ModuleFacts): void => {
    if (order.includes(facts)) return;
    for (const holder of facts.holders) {
      const above = found.get(holder);
      if (above !== undefined) add(above);
    }
    order.push(facts);
  };
  for (const facts of found.values()) add(facts);
  return order;
}

/** The parameters of a loaded module that the kernel shows, by name. */
export function readModuleParameters(host: Host, module: string): Record<string, string> {
  const folder = `/sys/module/${moduleFolderName(module)}/parameters`;
  const parameters: Record<string, string> = {};
  for (const name of host.list(folder)) {
    const value = host.readOptional(`${folder}/${name}`);
    if (value !== null && value !== '' && value !== '(null)') parameters[name] = value;
  }
  return parameters;
}
