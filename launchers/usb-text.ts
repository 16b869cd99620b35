import type { UsbBus, UsbDevice } from '../lib/host/usb.ts';
import { describeUse } from '../lib/plan/device-uses.ts';
import type { DevicesReport } from './devices-report.ts';
import { formatName, judgeGroup } from './devices-text.ts';
import { painter } from './paint.ts';
import type { UsbController } from './usb-report.ts';

/** The controllers for people: each with its group's verdict, its buses, and the devices below the hubs they hang on. */
export function formatUsb(
  controllers: readonly UsbController[],
  report: DevicesReport,
  colour: boolean,
): string {
  const paint = painter(colour);
  const lines: string[] = [];
  for (const controller of controllers) {
    const verdict = judge(controller, report);
    lines.push(
      `${paint(36, controller.address)} ${formatName(controller)}`,
      `  driver ${controller.driver ?? 'none'} · ${paint(verdict.passable ? 32 : 33, verdict.text)}`,
    );
    lines.push(...controller.inUse.map((use) => `  ${describeUse(use)}`));
    for (const bus of controller.usb) lines.push(...formatBus(bus));
    if (controller.usb.length === 0)
      lines.push(
        `  ${controller.heldBy === null ? 'no bus: no driver of the host has it' : 'what hangs on it is the guest’s'}`,
      );
  }
  return lines.join('\n');
}

/** In words: "IOMMU group 4: can be passed". */
function judge({ group }: UsbController, report: DevicesReport): { passable: boolean; text: string } {
  const found = report.groups.find(({ id }) => id === group);
  if (found === undefined) return { passable: false, text: 'in no IOMMU group, cannot be passed' };
  const members = report.devices.filter(({ address }) => found.addresses.includes(address));
  const { passable, text } = judgeGroup(found, members);
  return { passable, text: `IOMMU group ${found.id}: ${text}` };
}

function formatBus({ bus, ports, speedMbps, devices }: UsbBus): string[] {
  const facts = [
    ...(ports === null ? [] : [`${ports} ports`]),
    ...(speedMbps === null ? [] : [formatSpeed(speedMbps)]),
    ...(devices.length === 0 ? ['nothing on it'] : []),
  ];
  const inTree = [...devices].sort((a, b) => comparePorts(a.port, b.port));
  return [`  bus ${bus}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`, ...inTree.map(formatDevice)];
}

function formatDevice({ port, id, name, kinds, speedMbps }: UsbDevice): string {
  const depth = port.split('.').length - 1;
  const facts = [...kinds, ...(speedMbps === null ? [] : [formatSpeed(speedMbps)])];
  return `    ${'  '.repeat(depth)}${port}  ${name ?? 'unnamed'} [${id}]${facts.length === 0 ? '' : ` · ${facts.join(', ')}`}`;
}

/** "480 Mb/s", "10 Gb/s". */
function formatSpeed(mbps: number): string {
  return mbps >= 1000 && mbps % 1000 === 0 ? `${mbps / 1000} Gb/s` : `${mbps} Mb/s`;
}

/** Ports by number, so that what hangs on a hub comes after it: 1-2, 1-2.1, 1-2.10, 1-10. */
function comparePorts(one: string, other: string): number {
  const [a, b] = [one, other].map((port) => port.split(/[-.]/).map(Number));
  for (let at = 0; at < Math.max(a!.length, b!.length); at++) {
    const difference = (a![at] ?? -1) - (b![at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
