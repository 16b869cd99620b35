import { describeUse } from '../lib/plan/device-uses.ts';
import type { DeviceReport, DevicesReport } from './devices-report.ts';
import { formatBar, judgeGroup } from './devices-text.ts';
import { escapeMarkup } from './markup.ts';

/** The IOMMU map: a card for each group with its verdict, the functions in it, and who uses them. */
export function formatDevicesPart(report: DevicesReport): string {
  const byAddress = new Map(report.devices.map((device) => [device.address, device]));
  const grouped = new Set(report.groups.flatMap(({ addresses }) => addresses));
  const groups = report.groups.map((group) => {
    const members = group.addresses.flatMap((address) => byAddress.get(address) ?? []);
    const { passable, text } = judgeGroup(group, members);
    const verdict = `<span class="word ${passable ? 'ok' : 'warn'}">${passable ? 'can be passed' : 'not now'}</span>`;
    return formatGroup(
      `Group ${group.id}`,
      `${verdict} ${escapeMarkup(text)}`,
      members,
      passable ? 'ok' : 'warn',
    );
  });
  const alone = report.devices.filter(({ address }) => !grouped.has(address));
  const iommu = report.iommu.enabled
    ? `<p>The IOMMU is on${report.iommu.units.length === 0 ? '' : ` (${escapeMarkup(report.iommu.units.join(', '))})`}: ${report.groups.length} groups.</p>`
    : '<p><strong>There is no IOMMU, so nothing can be passed.</strong></p>';
  return [
    iommu,
    ...groups,
    ...(alone.length === 0
      ? []
      : [
          formatGroup(
            'In no group',
            'Without an IOMMU group nothing of these can be passed.',
            alone,
            'unknown',
          ),
        ]),
  ].join('\n');
}

function formatGroup(title: string, verdict: string, members: readonly DeviceReport[], kind: string): string {
  return [
    `<article class="card ${kind}"><h3>${title}</h3><p>${verdict}</p>`,
    members.length === 0 ? '' : `<ul>${members.map(formatMember).join('\n')}</ul>`,
    '</article>',
  ].join('\n');
}

function formatMember(device: DeviceReport): string {
  const ids = `${device.vendorId ?? '????'}:${device.deviceId ?? '????'}`;
  const facts: (readonly [string, string])[] = [
    ['Driver', device.driver ?? 'none'],
    ...(device.driverOverride === '' ? [] : [['Override', device.driverOverride] as const]),
    ...(device.parent === null ? [] : [['Behind', device.parent] as const]),
    ...(device.interfaces.length === 0 ? [] : [['Interfaces', device.interfaces.join(', ')] as const]),
    ...(device.disks.length === 0 ? [] : [['Disks', device.disks.join(', ')] as const]),
    ...(device.bootVga ? [['Boot display', 'yes'] as const] : []),
    ...(device.isBridge
      ? []
      : [['Reset', device.resetMethods.join(' ') || (device.resettable ? 'yes' : 'none')] as const]),
    ...(device.node === null ? [] : [['NUMA node', `${device.node}`] as const]),
    ...(device.bars.length === 0 || device.isBridge
      ? []
      : [['BARs', device.bars.map(formatBar).join(', ')] as const]),
    ...(device.sriov === null
      ? []
      : [['Virtual functions', `${device.sriov.enabled} of ${device.sriov.total}`] as const]),
    ...(device.heldBy === null ? [] : [['Held by guest', device.heldBy] as const]),
    ...device.inUse.map((use) => ['In use', describeUse(use)] as const),
    ...device.openBy.map(
      ({ node, comm, pid, unit }) => ['Open', `${node} by ${comm} (${unit ?? `process ${pid}`})`] as const,
    ),
    ...(device.usb ?? []).flatMap(({ bus, devices }) =>
      devices.map(
        ({ port, id, name }) => [`USB bus ${bus}`, `port ${port}: ${name ?? 'unnamed'} [${id}]`] as const,
      ),
    ),
  ];
  const list = facts
    .map(([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd>`)
    .join('');
  return `<li><strong><code>${device.address}</code> ${escapeMarkup(device.name ?? 'unnamed')}</strong> <code>[${ids}]</code><dl>${list}</dl></li>`;
}
