import type { PciAddress } from '../lib/words/pci-address.ts';
import { pathsOf } from './device-paths.ts';
import type { DeviceReport, DevicesReport } from './devices-report.ts';
import { formatName, judgeGroup } from './devices-text.ts';
import { painter } from './paint.ts';

/**
 * The PCI hierarchy for people: each function below the bridge it hangs on, with its group and whether that can be passed.
 * Of `wanted` addresses only those and the bridges above them; null for all.
 */
export function formatDevicesTree(
  report: DevicesReport,
  wanted: ReadonlySet<PciAddress> | null,
  colour: boolean,
): string {
  const paint = painter(colour);
  const byAddress = new Map(report.devices.map((device) => [device.address, device]));
  const shown = new Set(wanted ?? byAddress.keys());
  const pathTo = pathsOf(report.devices);
  for (const address of [...shown]) for (const above of pathTo(address)) shown.add(above);
  const verdicts = new Map(
    report.groups.map((group) => [
      group.id,
      judgeGroup(
        group,
        group.addresses.flatMap((address) => byAddress.get(address) ?? []),
      ),
    ]),
  );
  const below = new Map<PciAddress | string, DeviceReport[]>();
  for (const device of report.devices) {
    if (!shown.has(device.address)) continue;
    const above = pathTo(device.address).at(-1) ?? device.address.slice(0, 'dddd:bb'.length);
    below.set(above, [...(below.get(above) ?? []), device]);
  }
  const lines: string[] = [];
  for (const [top, devices] of below) {
    if (byAddress.has(top as PciAddress)) continue;
    const node = devices.find((device) => device.node !== null)?.node ?? null;
    lines.push(paint(1, `Root bus ${top}${node === null ? '' : `, memory node ${node}`}`));
    addBelow(top, '');
  }
  return lines.length === 0 ? 'No PCI function fits' : lines.join('\n');

  function addBelow(above: PciAddress | string, indent: string): void {
    const devices = below.get(above) ?? [];
    for (const [at, device] of devices.entries()) {
      const isLast = at === devices.length - 1;
      lines.push(`${indent}${isLast ? '└─ ' : '├─ '}${formatOne(device)}`);
      addBelow(device.address, `${indent}${isLast ? '   ' : '│  '}`);
    }
  }

  function formatOne(device: DeviceReport): string {
    const { address, group, driver, isBridge } = device;
    const verdict = group === null ? undefined : verdicts.get(group);
    const facts = [
      ...(driver === null ? [] : [driver]),
      ...(group === null ? [] : [`group ${group}`]),
      ...(verdict === undefined || isBridge || !verdict.hasEnds
        ? []
        : [paint(verdict.passable ? 32 : 33, verdict.text)]),
    ];
    return [`${paint(36, address)} ${formatName(device)}`, ...facts].join(' · ');
  }
}
