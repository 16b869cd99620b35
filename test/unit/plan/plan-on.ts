import assert from 'node:assert/strict';
import type { Host } from '../../../lib/host/host.ts';
import { readDevicePicture } from '../../../lib/host/read-device-picture.ts';
import type { DomainFunction } from '../../../lib/inputs/domain.ts';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { parseDeviceRequest } from '../../../lib/inputs/selector.ts';
import { planDevices } from '../../../lib/plan/devices.ts';
import type { PlanPart } from '../../../lib/plan/part.ts';
import type { HeldStep } from '../../../lib/words/step.ts';
import { pci } from '../../fake/pci-model.ts';

export interface Wanted {
  /** Lines of [devices]: label to text. */
  readonly devices?: Readonly<Record<string, string>>;
  readonly domain?: readonly DomainFunction[];
  readonly options?: Partial<Omit<Profile['devices'], 'requests'>>;
  readonly held?: readonly HeldStep[];
  readonly holdersMayLeave?: boolean;
}

/** Reads a machine and plans these devices on it. */
export function planOn(
  host: Host,
  { devices = {}, domain = [], options = {}, held = [], holdersMayLeave = false }: Wanted,
): PlanPart {
  const requests = Object.entries(devices).map(([label, text]) => parseDeviceRequest(label, text));
  const wishes = {
    requests,
    siblings: 'refuse',
    managed: 'take',
    allowDefaultRoute: false,
    keepAwake: 'display',
    resetMethods: [],
    barSizes: [],
    deadlineMs: 20_000,
    ...options,
  } as const;
  const picture = readDevicePicture(host, requests, domain);
  return planDevices({ wishes, domainFunctions: domain, picture, held, holdersMayLeave });
}

/** A <hostdev> of the domain. */
export function hostdev(address: string, managed: boolean, driver: string | null = null): DomainFunction {
  return { address: pci(address), managed, source: 'hostdev', driver, romFile: null };
}

/** A function that another guest holds. */
export function heldBy(guest: string, address: string): HeldStep {
  const step = {
    kind: 'driver',
    address: pci(address),
    driver: 'vfio-pci',
    deadlineMs: 1,
    target: address,
    from: null,
    to: 'vfio-pci',
  } as const;
  const was = { driver: null, override: '', powerControl: null, d3coldAllowed: null, resetMethod: null };
  return { guest, index: 0, step, was, at: 0 };
}

/** Steps as "module vfio_pci" and "driver 0000:01:00.0 e1000e -> vfio-pci". */
export function stepLines({ steps }: PlanPart): string[] {
  return steps.map((step) =>
    step.kind === 'driver'
      ? `driver ${step.address} ${step.from} -> ${step.to}`
      : `${step.kind} ${step.target}`,
  );
}

/** A refusal in the order in which people read it. */
export type Expected = readonly [id: string, summary: string, remedy: string];

/** Every refusal of a plan, which then has no step. */
export function refusals(host: Host, wanted: Wanted): Expected[] {
  const plan = planOn(host, wanted);
  assert.deepEqual(plan.steps, []);
  return plan.refusals.map(({ id, summary, remedy }) => [id, summary, remedy ?? '']);
}
