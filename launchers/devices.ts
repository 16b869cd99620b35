import type { PciAddress } from '../lib/words/pci-address.ts';
import { type PciKind, pciKind } from '../lib/words/pci-class.ts';
import type { CommandLine } from './command-line.ts';
import { pathsOf } from './device-paths.ts';
import { type DeviceReport, type DevicesReport, readDevicesReport } from './devices-report.ts';
import { formatDevices, searchText } from './devices-text.ts';
import { formatDevicesTree } from './devices-tree.ts';
import type { Globals } from './globals.ts';

/** `passqemu devices [text]`: the PCI functions by IOMMU group, and which groups can be given to a guest. */
export async function devices(line: CommandLine, globals: Globals): Promise<number> {
  const all = readDevicesReport(globals.host, globals.stateDir);
  const wanted = chooseFunctions(all, line);
  if (globals.json) globals.out(JSON.stringify(only(all, wanted), null, 2));
  else if (line.has('tree')) globals.out(formatDevicesTree(all, wanted, globals.colour));
  else globals.out(formatDevices(withTheirGroups(all, wanted), globals.colour, pathsOf(all.devices)));
  return 0;
}

const KIND_OF_SWITCH: Readonly<Record<string, PciKind>> = {
  gpu: 'display',
  usb: 'usb',
  nvme: 'nvme',
  nic: 'network',
};

type Wanted = ReadonlySet<PciAddress> | null;

/** The functions that were asked for; null for all. */
function chooseFunctions(report: DevicesReport, line: CommandLine): Wanted {
  const kinds = Object.entries(KIND_OF_SWITCH)
    .filter(([name]) => line.has(name))
    .map(([, kind]) => kind);
  const text = line.words[0]?.toLowerCase() ?? '';
  if (kinds.length === 0 && text === '') return null;
  const isWanted = (device: DeviceReport) =>
    (kinds.length === 0 || kinds.includes(pciKind(device.classCode))) &&
    (text === '' || searchText(device).includes(text));
  return new Set(report.devices.filter(isWanted).map(({ address }) => address));
}

/** These functions and the groups that they are in. */
function only(report: DevicesReport, wanted: Wanted): DevicesReport {
  if (wanted === null) return report;
  const devices = report.devices.filter(({ address }) => wanted.has(address));
  const ids = new Set(devices.map(({ group }) => group));
  return { ...report, devices, groups: report.groups.filter(({ id }) => ids.has(id)) };
}

/** The same for people: with all members of the groups, who decide about each other. */
function withTheirGroups(report: DevicesReport, wanted: Wanted): DevicesReport {
  if (wanted === null) return report;
  const { groups } = only(report, wanted);
  const shown = new Set([...wanted, ...groups.flatMap(({ addresses }) => addresses)]);
  return { ...report, groups, devices: report.devices.filter(({ address }) => shown.has(address)) };
}
