import { type PciKind, pciKind } from '../lib/words/pci-class.ts';
import type { CommandLine } from './command-line.ts';
import { type DeviceReport, type DevicesReport, readDevicesReport } from './devices-report.ts';
import { formatDevices } from './devices-text.ts';
import type { Globals } from './globals.ts';

/** `passqemu devices [text]`: the PCI functions by IOMMU group, and which groups can be given to a guest. */
export async function devices(line: CommandLine, globals: Globals): Promise<number> {
  const report = select(readDevicesReport(globals.host, globals.stateDir), line, globals.json);
  globals.out(globals.json ? JSON.stringify(report, null, 2) : formatDevices(report, globals.colour));
  return 0;
}

const KIND_OF_SWITCH: Readonly<Record<string, PciKind>> = {
  gpu: 'display',
  usb: 'usb',
  nvme: 'nvme',
  nic: 'network',
};

/** The functions that were asked for, and their groups: for people with all members, who decide about each other. */
function select(report: DevicesReport, line: CommandLine, onlyWanted: boolean): DevicesReport {
  const kinds = Object.entries(KIND_OF_SWITCH)
    .filter(([name]) => line.has(name))
    .map(([, kind]) => kind);
  const text = line.words[0]?.toLowerCase() ?? '';
  if (kinds.length === 0 && text === '') return report;
  const isWanted = (device: DeviceReport) =>
    (kinds.length === 0 || kinds.includes(pciKind(device.classCode))) &&
    (text === '' || describe(device).includes(text));
  const wanted = report.devices.filter(isWanted);
  const groupIds = new Set(wanted.map(({ group }) => group));
  const groups = report.groups.filter(({ id }) => groupIds.has(id));
  if (onlyWanted) return { ...report, groups, devices: wanted };
  const shown = new Set([
    ...wanted.map(({ address }) => address),
    ...groups.flatMap(({ addresses }) => addresses),
  ]);
  return { ...report, groups, devices: report.devices.filter(({ address }) => shown.has(address)) };
}

function describe({ address, vendorId, deviceId, name, driver, classCode }: DeviceReport): string {
  return [address, `${vendorId}:${deviceId}`, name ?? '', driver ?? '', classCode ?? '']
    .join(' ')
    .toLowerCase();
}
