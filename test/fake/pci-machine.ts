import { parsePciAddress } from '../../lib/words/pci-address.ts';
import type { FakeHost } from './fake-host.ts';
import type { FakeTree } from './fake-tree.ts';

/** A PCI function of the fake machine. */
export interface PciSpec {
  readonly address: string;
  /** "8086:10d3" in its parts, four hex digits each. */
  readonly vendor: string;
  readonly device: string;
  /** "8086:0001"; absent: the files read 0x0000. */
  readonly subsystem?: string;
  /** Six hex digits: "020000". */
  readonly class: string;
  /** The IOMMU group; null for a machine without an IOMMU. */
  readonly group: number | null;
  /** What is bound at the start; it is loaded if it is not yet. */
  readonly driver?: string;
  /** Drivers that match by id, in the order they would be asked; the bound one when absent. */
  readonly homeDrivers?: readonly string[];
  readonly override?: string;
  readonly node?: number;
  readonly bootVga?: boolean;
  readonly sriov?: { readonly total: number; readonly enabled: number };
  readonly physicalFunction?: string;
  /** Null: no reset at all, the file is missing. */
  readonly resetMethods?: string | null;
  readonly bars?: readonly {
    readonly index: number;
    readonly sizeBytes: number;
    readonly resizable?: boolean;
  }[];
  /** The bridge it hangs on, which must have been put before. */
  readonly parent?: string;
  /** A header of type 1: PCI-to-PCI bridge, root port. Taken from the class (0604) where absent. */
  readonly bridge?: boolean;
  readonly powerControl?: string;
  /** Files that are there only while a home driver is bound, by their path below the function: "net/eth0/address". */
  readonly whileBound?: Readonly<Record<string, string>>;
}

export interface Model {
  readonly specs: Map<string, PciSpec>;
  readonly paths: Map<string, string>;
  readonly owned: Set<number>;
  readonly failing: Set<string>;
  readonly modules: Set<string>;
  /** What else the kernel does when VFIO takes a function. */
  readonly onVfio: ((host: FakeHost, address: string) => void)[];
}

const models = new WeakMap<FakeTree, Model>();
/** The folder of the PCI bus. */
export const BUS = '/sys/bus/pci';

/** The PCI side of a fake machine, made on first use. */
export function modelOf(host: FakeHost): Model {
  const known = models.get(host.tree);
  if (known !== undefined) return known;
  const model: Model = {
    specs: new Map(),
    paths: new Map(),
    owned: new Set(),
    failing: new Set(),
    modules: new Set(['vfio_pci', 'vfio_iommu_type1']),
    onVfio: [],
  };
  models.set(host.tree, model);
  return model;
}

/** Registers a driver, as loading its module does; it is offered every function whose override names it at once. */
export function loadDriver(host: FakeHost, name: string): void {
  const model = modelOf(host);
  const folder = `${BUS}/drivers/${name}`;
  if (host.tree.get(folder) !== null) return;
  const module = `/sys/module/${name.replaceAll('-', '_')}`;
  for (const file of ['bind', 'unbind', 'new_id', 'remove_id']) host.put(`${folder}/${file}`, '', 0o200);
  host.put(`${module}/initstate`, 'live\n');
  host.putLink(`${folder}/module`, module);
  for (const address of model.specs.keys()) {
    if (overrideOf(host, address) === name && driverOf(host, address) === null) probe(host, address, name);
  }
}

/** Says which modules `modprobe` finds beside vfio-pci and vfio_iommu_type1. */
export function addModule(host: FakeHost, name: string): void {
  modelOf(host).modules.add(underscored(name));
  listModules(host);
}

/** Takes a module away from the machine: `modprobe` says that it is not found. */
export function removeModule(host: FakeHost, name: string): void {
  modelOf(host).modules.delete(underscored(name));
  listModules(host);
}

/** Depmod's list, from which one can tell what modprobe would find. */
export function listModules(host: FakeHost): void {
  const release = host.peek('/proc/sys/kernel/osrelease')?.trimEnd() ?? '';
  const lines = [...modelOf(host).modules].map(
    (name) => `kernel/drivers/${name.replaceAll('_', '-')}.ko.xz:\n`,
  );
  host.put(`/lib/modules/${release}/modules.dep`, lines.join(''));
}

/** From now on this driver's probe of this function fails; the kernel tells nobody. */
export function failProbe(host: FakeHost, address: string, driver: string): void {
  modelOf(host).failing.add(`${address} ${driver}`);
}

/** Marks a group as owned by a VFIO user: native drivers cannot bind its members until it is let go. */
export function ownGroup(host: FakeHost, group: number, owned: boolean): void {
  if (owned) modelOf(host).owned.add(group);
  else modelOf(host).owned.delete(group);
}

/** The driver a function is bound to, or null, without counting as a call. */
export function driverOf(host: FakeHost, address: string): string | null {
  return (
    host
      .peekLink(`${pathOf(host, address)}/driver`)
      ?.split('/')
      .at(-1) ?? null
  );
}

/** The override as the kernel shows it, "(null)" when unset. */
export function overrideOf(host: FakeHost, address: string): string {
  return (host.peek(`${pathOf(host, address)}/driver_override`) ?? '').trimEnd();
}

export function probe(host: FakeHost, address: string, driver: string): void {
  const spec = modelOf(host).specs.get(address)!;
  if (whyNotBound(host, spec, driver) === null) attach(host, address, driver);
}

export function whyNotBound(host: FakeHost, spec: PciSpec, driver: string): string | null {
  if (modelOf(host).failing.has(`${spec.address} ${driver}`)) return 'EINVAL';
  if (!isVfio(driver)) return isOwned(host, spec) ? 'EBUSY' : null;
  if (spec.group === null || isBridge(spec)) return 'EINVAL';
  const enabled = host.peek(`${pathOf(host, spec.address)}/sriov_numvfs`)?.trimEnd() ?? '0';
  return enabled === '0' ? null : 'EBUSY';
}

export function attach(host: FakeHost, address: string, driver: string): void {
  const spec = modelOf(host).specs.get(address)!;
  const path = pathOf(host, address);
  host.putLink(`${path}/driver`, `${BUS}/drivers/${driver}`);
  host.putLink(`${BUS}/drivers/${driver}/${address}`, path);
  host.put(`${path}/power_state`, isVfio(driver) ? 'D3hot\n' : 'D0\n');
  if (isVfio(driver)) {
    // vfio-pci lets the runtime power management have its way, whatever was said before
    host.put(`${path}/power/control`, 'auto\n');
    host.putDevice(`/dev/vfio/${spec.group}`, 'character', `240:${spec.group}`);
    const uevent = `MAJOR=240\nMINOR=${spec.group}\nDEVNAME=vfio/${spec.group}\n`;
    host.put(`/sys/class/vfio/${spec.group}/uevent`, uevent);
    for (const act of modelOf(host).onVfio) act(host, address);
  } else if (homeDrivers(spec).includes(driver)) {
    for (const [name, text] of Object.entries(spec.whileBound ?? {})) host.put(`${path}/${name}`, text);
  }
}

export function detach(host: FakeHost, address: string, driver: string): void {
  const spec = modelOf(host).specs.get(address)!;
  const path = pathOf(host, address);
  host.drop(`${path}/driver`);
  host.drop(`${BUS}/drivers/${driver}/${address}`);
  host.put(`${path}/power_state`, 'unknown\n');
  if (!isVfio(driver)) {
    for (const name of Object.keys(spec.whileBound ?? {})) host.drop(`${path}/${name.split('/')[0]}`);
    return;
  }
  // and forbids it again on its way out
  host.put(`${path}/power/control`, 'on\n');
  const left = [...modelOf(host).specs.values()].some(
    (other) => other.group === spec.group && isVfio(driverOf(host, other.address) ?? ''),
  );
  if (left) return;
  host.drop(`/dev/vfio/${spec.group}`);
  host.drop(`/sys/class/vfio/${spec.group}`);
}

export function matches(host: FakeHost, spec: PciSpec, driver: string): boolean {
  const override = overrideOf(host, spec.address);
  return override === '(null)' ? homeDrivers(spec).includes(driver) : override === driver;
}

export function homeDrivers(spec: PciSpec): readonly string[] {
  return spec.homeDrivers ?? (spec.driver === undefined || isVfio(spec.driver) ? [] : [spec.driver]);
}

export function isOwned(host: FakeHost, spec: PciSpec): boolean {
  return spec.group !== null && modelOf(host).owned.has(spec.group);
}

export function isLoaded(host: FakeHost, driver: string): boolean {
  return host.tree.get(`${BUS}/drivers/${driver}`) !== null;
}

export function isVfio(driver: string): boolean {
  return /(^|[-_])vfio[-_]pci$/.test(driver);
}

export function isBridge(spec: PciSpec): boolean {
  return spec.bridge ?? spec.class.startsWith('0604');
}

export function pathOf(host: FakeHost, address: string): string {
  const path = modelOf(host).paths.get(address);
  if (path === undefined || parsePciAddress(address) === null) throw new Error(`no PCI function ${address}`);
  return path;
}

export function underscored(name: string): string {
  return name.replaceAll('-', '_');
}
