import { driverOfVfioModule, moduleFolderName } from '../words/vfio-driver.ts';
import type { Host } from './host.ts';
import { readModuleFolder } from './kernel-modules.ts';
import { type PciFunction, pciFolder } from './pci-function.ts';

/** A driver of the VFIO family and the module that has it. */
export interface VfioDriver {
  readonly driver: string;
  readonly module: string;
}

/** The generic driver, which takes every function of header type 0. */
export const GENERIC_VFIO: VfioDriver = { driver: 'vfio-pci', module: 'vfio_pci' };

/**
 * The VFIO driver that fits a function best: the module with the most exact "vfio_pci:" alias, as libvirt chooses it (Documentation
 * /driver-api/vfio.rst and the kernel's commit cc6711b0bf36); the generic one where nothing fits better.
 */
export function readBestVfioDriver(host: Host, fn: PciFunction): VfioDriver {
  return bestVfioDriver(host, fn, readVfioAliases(host));
}

/** The same for several functions with one look at the aliases. */
export function readBestVfioDrivers(host: Host, functions: readonly PciFunction[]): readonly VfioDriver[] {
  const aliases = functions.length === 0 ? [] : readVfioAliases(host);
  return functions.map((fn) => bestVfioDriver(host, fn, aliases));
}

/** The driver that a module registers: as the loaded module says, else by its name. */
export function readDriverOfModule(host: Host, module: string): string {
  const told = host
    .list(`/sys/module/${moduleFolderName(module)}/drivers`)
    .find((name) => name.startsWith('pci:'));
  return told?.slice('pci:'.length) ?? driverOfVfioModule(module);
}

interface VfioAlias {
  readonly fields: readonly string[];
  readonly module: string;
  readonly wildcards: number;
}

const MARK = 'alias vfio_pci:';

/** The lines "alias vfio_pci:v…d…sv…sd…bc…sc…i… module" of modules.alias. The file is large and most kernels have few of them. */
function readVfioAliases(host: Host): readonly VfioAlias[] {
  const folder = readModuleFolder(host);
  if (folder === null) return [];
  let bytes: Buffer;
  try {
    bytes = host.readBytes(`${folder}/modules.alias`);
  } catch {
    return [];
  }
  const aliases: VfioAlias[] = [];
  for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + MARK.length)) {
    const end = bytes.indexOf('\n', at);
    const line = bytes.toString('latin1', at + MARK.length, end === -1 ? bytes.length : end);
    const [pattern = '', module = ''] = line.split(' ');
    const fields = parseFields(pattern);
    if (fields === null || !/^[\w-]+$/.test(module)) continue;
    aliases.push({ fields, module, wildcards: fields.filter((field) => field === '*').length });
  }
  return aliases;
}

function bestVfioDriver(host: Host, fn: PciFunction, aliases: readonly VfioAlias[]): VfioDriver {
  if (aliases.every((alias) => alias.module === GENERIC_VFIO.module)) return GENERIC_VFIO;
  const own = parseFields(
    (host.readOptional(`${pciFolder(fn.address)}/modalias`) ?? '').replace(/^pci:/, ''),
  );
  if (own === null) return GENERIC_VFIO;
  let best: VfioAlias | null = null;
  for (const alias of aliases) {
    const fits = alias.fields.every((field, index) => field === '*' || field === own[index]);
    if (fits && (best === null || alias.wildcards < best.wildcards)) best = alias;
  }
  if (best === null || moduleFolderName(best.module) === GENERIC_VFIO.module) return GENERIC_VFIO;
  return { driver: readDriverOfModule(host, best.module), module: best.module };
}

/** Vendor, device, subsystem vendor and device, base class, subclass, interface: hex digits or "*" (file2alias of the kernel's build). */
const FIELDS =
  /^v(\*|[0-9A-F]+)d(\*|[0-9A-F]+)sv(\*|[0-9A-F]+)sd(\*|[0-9A-F]+)bc(\*|[0-9A-F]+)sc(\*|[0-9A-F]+)i(\*|[0-9A-F]+)$/;

function parseFields(modalias: string): readonly string[] | null {
  return FIELDS.exec(modalias)?.slice(1) ?? null;
}
