import { describeUse } from '../lib/plan/device-uses.ts';
import type { PciAddress } from '../lib/words/pci-address.ts';
import { pciKind } from '../lib/words/pci-class.ts';
import { type PathTo, pathsOf } from './device-paths.ts';
import type { DeviceReport, DevicesReport, GroupReport } from './devices-report.ts';
import { type Paint, painter } from './paint.ts';

/** The report for people: a tree by IOMMU group, with what may be passed and why not. `pathTo` names the bridges above a function. */
export function formatDevices(
  report: DevicesReport,
  colour: boolean,
  pathTo: PathTo = pathsOf(report.devices),
): string {
  const paint = painter(colour);
  const byAddress = new Map(report.devices.map((device) => [device.address, device]));
  const lines: string[] = [];
  if (!report.iommu.enabled) {
    lines.push(
      paint(
        31,
        'No IOMMU: nothing can be passed. Switch VT-d or AMD-Vi (IOMMU) on in the firmware’s set-up; on Intel boot with intel_iommu=on as well.',
      ),
    );
  }
  const grouped = new Set<PciAddress>();
  for (const group of report.groups) {
    const members = group.addresses
      .map((address) => byAddress.get(address))
      .filter((device) => device !== undefined);
    if (members.length === 0) continue;
    for (const { address } of members) grouped.add(address);
    const verdict = judgeGroup(group, members);
    lines.push(`${paint(1, `IOMMU group ${group.id}`)}: ${paint(verdict.passable ? 32 : 33, verdict.text)}`);
    for (const member of members) lines.push(...formatDevice(member, pathTo(member.address), paint));
  }
  const alone = report.devices.filter(({ address }) => !grouped.has(address));
  if (alone.length > 0) lines.push(paint(1, 'In no IOMMU group'));
  for (const device of alone) lines.push(...formatDevice(device, pathTo(device.address), paint));
  return lines.length === 0 ? 'No PCI function fits' : lines.join('\n');
}

/** Whether a group can be given to a guest as it is now, and why not; `members` are its functions that are known. */
export function judgeGroup(
  group: GroupReport,
  members: readonly DeviceReport[],
): { readonly passable: boolean; readonly text: string; readonly hasEnds: boolean } {
  const ends = members.filter(({ isBridge, classCode }) => !isBridge && pciKind(classCode) !== 'bridge');
  const reasons = ends.flatMap(({ address, inUse, sriov, heldBy }) => [
    ...(heldBy === null ? [] : [`${address} is held by guest ${heldBy}`]),
    ...inUse.filter(({ severity }) => severity === 'refuse').map((use) => `${address}: ${describeUse(use)}`),
    ...(sriov !== null && sriov.enabled > 0
      ? [`${address} has ${sriov.enabled} virtual functions enabled`]
      : []),
  ]);
  const hasEnds = ends.length > 0;
  if (!hasEnds) return { passable: false, text: 'bridges only, nothing to pass', hasEnds };
  if (reasons.length > 0)
    return { passable: false, text: `cannot be passed now: ${[...new Set(reasons)].join('; ')}`, hasEnds };
  if (group.viable) return { passable: true, text: 'ready for VFIO', hasEnds };
  return {
    hasEnds,
    passable: true,
    text: ends.length === 1 ? 'can be passed' : `can be passed as a whole (${ends.length} functions)`,
  };
}

/** "NVIDIA Corporation AD104 [10de:2786]"; the kind of function where the lists have no name. */
export function formatName({
  vendorId,
  deviceId,
  name,
  classCode,
}: Pick<DeviceReport, 'vendorId' | 'deviceId' | 'name' | 'classCode'>): string {
  const ids = `${vendorId ?? '????'}:${deviceId ?? '????'}`;
  return `${name ?? KIND_WORDS[pciKind(classCode)] ?? 'unknown'} [${ids}]`;
}

function formatDevice(device: DeviceReport, path: readonly PciAddress[], paint: Paint): string[] {
  const head = `  ${paint(36, device.address)} ${formatName(device)}`;
  const facts = [
    `driver ${device.driver ?? 'none'}`,
    ...(device.driverOverride === '' ? [] : [`override ${device.driverOverride}`]),
    ...(path.length === 0 ? [] : [`behind ${path.join(' → ')}`]),
    ...(device.bootVga ? ['boot display'] : []),
    ...device.interfaces,
    ...device.disks,
    ...(device.isBridge
      ? []
      : [
          device.resetMethods.length === 0
            ? device.resettable
              ? 'can be reset'
              : 'no reset'
            : `reset ${device.resetMethods.join(' ')}`,
        ]),
    ...(device.node === null ? [] : [`node ${device.node}`]),
    ...(device.bars.length === 0 || device.isBridge ? [] : [`BARs ${device.bars.map(formatBar).join(', ')}`]),
    ...(device.sriov === null ? [] : [`${device.sriov.enabled} of ${device.sriov.total} virtual functions`]),
    ...(device.physicalFunction === null ? [] : [`virtual function of ${device.physicalFunction}`]),
  ];
  const users = [
    ...(device.heldBy === null ? [] : [`held by guest ${device.heldBy}`]),
    ...device.inUse.map(describeUse),
    ...device.openBy.map(
      ({ comm, pid, node, unit }) => `${node} open by ${comm} (${unit ?? `process ${pid}`})`,
    ),
  ];
  const usb = (device.usb ?? []).flatMap(({ bus, ports, devices }) => [
    `USB bus ${bus}${ports === null ? '' : `, ${ports} ports`}${devices.length === 0 ? ', nothing on it' : ''}`,
    ...devices.map(({ port, id, name }) => `  port ${port}: ${name ?? 'unnamed'} [${id}]`),
  ]);
  return [head, `      ${paint(2, facts.join(' · '))}`, ...[...users, ...usb].map((line) => `      ${line}`)];
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  display: 'Display',
  audio: 'Sound',
  network: 'Network card',
  nvme: 'NVMe drive',
  storage: 'Storage',
  usb: 'USB controller',
  bridge: 'Bridge',
  other: 'Function',
};

/** "16 MiB (resizable)". */
export function formatBar({ sizeBytes, resizable }: DeviceReport['bars'][number]): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && size % 1024 === 0 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size} ${UNITS[unit]}${resizable ? ' (resizable)' : ''}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** What a text that somebody looks for is looked for in, in small letters. */
export function searchText({ address, vendorId, deviceId, name, driver, classCode }: DeviceReport): string {
  return [address, `${vendorId}:${deviceId}`, name ?? '', driver ?? '', classCode ?? '']
    .join(' ')
    .toLowerCase();
}
