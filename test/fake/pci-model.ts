import { type PciAddress, parsePciAddress } from '../../lib/words/pci-address.ts';
import type { FakeHost } from './fake-host.ts';
import {
  attach,
  BUS,
  driverOf,
  homeDrivers,
  isBridge,
  loadDriver,
  modelOf,
  type PciSpec,
} from './pci-machine.ts';
import { answerPciWrites } from './pci-writes.ts';

export {
  addModule,
  driverOf,
  failProbe,
  loadDriver,
  overrideOf,
  ownGroup,
  type PciSpec,
  removeModule,
} from './pci-machine.ts';

/** Puts one PCI function with its driver, group and attributes; writes to them are answered as Linux 6.1 and 6.12 do. */
export function addPciDevice(host: FakeHost, spec: PciSpec): string {
  answerPciWrites(host);
  const model = modelOf(host);
  const parent = spec.parent === undefined ? undefined : model.paths.get(spec.parent);
  const [domain, bus] = spec.address.split(':');
  const path = `${parent ?? `/sys/devices/pci${domain}:${bus}`}/${spec.address}`;
  model.specs.set(spec.address, spec);
  model.paths.set(spec.address, path);
  putAttributes(host, path, spec);
  host.putLink(`${BUS}/devices/${spec.address}`, `../../..${path.slice('/sys'.length)}`);
  host.putLink(`${path}/subsystem`, BUS);
  if (spec.group !== null) {
    host.putLink(`${path}/iommu_group`, `/sys/kernel/iommu_groups/${spec.group}`);
    host.putLink(`/sys/kernel/iommu_groups/${spec.group}/devices/${spec.address}`, path);
    host.put(`/sys/kernel/iommu_groups/${spec.group}/type`, 'DMA\n');
    host.putFolder('/sys/class/iommu/dmar0');
  }
  for (const name of homeDrivers(spec)) loadDriver(host, name);
  if (spec.driver !== undefined) {
    loadDriver(host, spec.driver);
    if (driverOf(host, spec.address) === null) attach(host, spec.address, spec.driver);
    if (spec.powerControl !== undefined) host.put(`${path}/power/control`, `${spec.powerControl}\n`);
  }
  return path;
}

/** An address as the readers type it. */
export function pci(text: string): PciAddress {
  const address = parsePciAddress(text);
  if (address === null) throw new Error(`${text} is no PCI address`);
  return address;
}

function putAttributes(host: FakeHost, path: string, spec: PciSpec): void {
  const [subVendor = '0000', subDevice = '0000'] = spec.subsystem?.split(':') ?? [];
  host.put(`${path}/vendor`, `0x${spec.vendor}\n`);
  host.put(`${path}/device`, `0x${spec.device}\n`);
  host.put(`${path}/subsystem_vendor`, `0x${subVendor}\n`);
  host.put(`${path}/subsystem_device`, `0x${subDevice}\n`);
  host.put(`${path}/class`, `0x${spec.class}\n`);
  host.put(`${path}/driver_override`, `${spec.override ?? '(null)'}\n`);
  host.put(`${path}/numa_node`, `${spec.node ?? -1}\n`);
  host.put(`${path}/enable`, '0\n');
  host.put(`${path}/d3cold_allowed`, '1\n');
  host.put(`${path}/power_state`, 'unknown\n');
  host.put(`${path}/power/control`, `${spec.powerControl ?? 'on'}\n`);
  host.put(`${path}/resource`, resourceText(spec));
  if (spec.bootVga !== undefined) host.put(`${path}/boot_vga`, spec.bootVga ? '1\n' : '0\n');
  if (spec.resetMethods !== null) {
    host.put(`${path}/reset_method`, `${spec.resetMethods ?? 'flr pm'}\n`);
    host.put(`${path}/reset`, '', 0o200);
  }
  for (const bar of spec.bars ?? []) {
    if (bar.resizable === true) host.put(`${path}/resource${bar.index}_resize`, '0000000000000ff0\n');
  }
  if (spec.sriov !== undefined) {
    host.put(`${path}/sriov_totalvfs`, `${spec.sriov.total}\n`);
    host.put(`${path}/sriov_numvfs`, `${spec.sriov.enabled}\n`);
  }
  if (isBridge(spec)) {
    host.put(`${path}/secondary_bus_number`, '1\n');
    host.put(`${path}/subordinate_bus_number`, '1\n');
  }
  const physical = spec.physicalFunction;
  const physicalPath = physical === undefined ? undefined : modelOf(host).paths.get(physical);
  if (physicalPath !== undefined) {
    host.putLink(`${path}/physfn`, physicalPath);
    const taken = host.tree.get(physicalPath);
    const count =
      taken?.kind === 'folder' ? [...taken.children.keys()].filter((name) => /^virtfn/.test(name)).length : 0;
    host.putLink(`${physicalPath}/virtfn${count}`, path);
  }
}

/** Documentation/ABI/testing/sysfs-bus-pci, "resource": start, end and flags of six BARs, the ROM and more. */
function resourceText(spec: PciSpec): string {
  const lines: string[] = [];
  for (let index = 0; index < 13; index++) {
    const size = spec.bars?.find((bar) => bar.index === index)?.sizeBytes ?? 0;
    const start = 0x4000000000n + BigInt(index) * 0x1000000000n;
    const numbers = size === 0 ? [0n, 0n, 0n] : [start, start + BigInt(size) - 1n, 0x140204n];
    lines.push(numbers.map((value) => `0x${value.toString(16).padStart(16, '0')}`).join(' '));
  }
  return `${lines.join('\n')}\n`;
}
