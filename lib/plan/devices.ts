import type { PciFunction } from '../host/pci-function.ts';
import { GENERIC_VFIO } from '../host/vfio-drivers.ts';
import type { Refusal } from '../words/errors.ts';
import { comparePciAddresses, type PciAddress, pciSlot } from '../words/pci-address.ts';
import { pciKind } from '../words/pci-class.ts';
import type { Step, StepOf } from '../words/step.ts';
import { chooseBarSizes } from './bar-sizes.ts';
import {
  noteFunction,
  noteUnmanaged,
  refuseFunction,
  refuseHolders,
  refuseVirtualFunctions,
} from './device-checks.ts';
import { chooseFunctions } from './device-choice.ts';
import { judgeGroups } from './device-groups.ts';
import { indexDevices } from './device-index.ts';
import type { Chosen, DeviceInput } from './device-input.ts';
import { noteUses, refuseUses } from './device-uses.ts';
import { EMPTY_PART, type PlanPart } from './part.ts';
import { chooseResetMethods, noteReset } from './reset-methods.ts';

export type { DeviceInput } from './device-input.ts';

/**
 * Plans the devices of a guest: the modules they need, then a step for each function that is taken or parked; or all reasons
 * why they cannot be given. Functions that are on a VFIO driver already get a step too, because it is the guest's claim on
 * them: it finds nothing to do, and undo leaves them where they were.
 */
export function planDevices(input: DeviceInput): PlanPart {
  const { wishes, picture } = input;
  const { chosen, refusals: unclear } = chooseFunctions(input);
  if (chosen.length === 0) return { ...EMPTY_PART, refusals: unclear };

  const index = indexDevices(picture, input.held);
  const groups = judgeGroups(input, chosen, index);
  const taken = new Set([
    ...chosen.map(({ fn }) => fn.address),
    ...groups.parked.map(({ address }) => address),
  ]);
  const resets = chooseResetMethods(wishes.resetMethods, chosen, picture.vendorReset);
  const bars = chooseBarSizes(wishes.barSizes, chosen);
  const refusals: Refusal[] = [...unclear, ...resets.refusals, ...bars.refusals];
  const notes: string[] = [];

  const checkUsers = (fn: PciFunction, name: string) => {
    const uses = index.uses.get(fn.address) ?? [];
    refusals.push(...refuseUses(name, uses, wishes.allowDefaultRoute));
    const held = refuseHolders(fn, name, index, input.leaving);
    if (input.holdersMayLeave === true)
      notes.push(...held.map(({ summary }) => `${summary}; the prepare-first command must see to that`));
    else refusals.push(...held);
    notes.push(...noteUses(name, fn, uses));
  };
  if (!picture.iommu) refusals.push(NO_IOMMU);
  for (const one of chosen) {
    const holder = index.guests.get(one.fn.address) ?? null;
    refusals.push(...refuseFunction(one, input, holder));
    // What another guest holds, it uses: saying so once is enough
    if (holder !== null || one.fn.isBridge) continue;
    notes.push(...noteFunction(one, index, taken), ...noteUnmanaged(one, input));
    notes.push(...noteReset(one, picture.vendorReset, resets.methods.get(one.fn.address)));
    checkUsers(one.fn, one.name);
  }
  refusals.push(...groups.refusals);
  for (const fn of groups.parked) {
    const name = `${fn.address} (of IOMMU group ${fn.group})`;
    notes.push(`${name} is left without a driver while the guest runs`);
    refusals.push(...refuseVirtualFunctions(fn, name));
    checkUsers(fn, name);
  }
  notes.push(...groups.notes);
  if (picture.unseen > 0) {
    notes.push(
      `The open files of ${picture.unseen} processes cannot be seen: only root learns whether they hold a device`,
    );
  }
  if (refusals.length > 0) return { steps: [], refusals, notes };
  const ours = chosen.filter((one) => one.ours);
  return {
    steps: [
      ...moduleSteps(ours, input),
      ...driverSteps(ours, groups.parked, input, resets.methods, bars.sizes),
    ],
    refusals,
    notes,
  };
}

/** The functions that the plan takes from a driver of the host, those that it parks included. */
export function takenFunctions(input: DeviceInput): readonly PciFunction[] {
  const { chosen } = chooseFunctions(input);
  const { parked } = judgeGroups(input, chosen, indexDevices(input.picture, input.held));
  return [...chosen.filter(({ ours }) => ours).map(({ fn }) => fn), ...parked].filter(
    ({ isVfio }) => !isVfio,
  );
}

const NO_IOMMU: Refusal = {
  id: 'no-iommu',
  summary: 'Cannot give PCI functions to a guest: the kernel has no IOMMU groups, an IOMMU must be on',
  remedy:
    'Switch VT-d or AMD-Vi (IOMMU) on in the firmware’s set-up; on Intel boot with intel_iommu=on as well',
};

/** The modules that are not in the kernel yet, each once: the drivers', and the one that maps memory for VFIO groups. */
function moduleSteps(ours: readonly Chosen[], { picture }: DeviceInput): Step[] {
  const needed = new Set(
    ours.map(({ fn }) => picture.vfioDrivers.get(fn.address)?.module).filter((name) => name !== undefined),
  );
  // Kernels with iommufd alone have none, and need none
  const optional = picture.modules.get('vfio_iommu_type1') === 'loadable' ? ['vfio_iommu_type1'] : [];
  return [...needed, ...optional]
    .filter((name) => picture.modules.get(name) !== 'loaded')
    .map((name) => ({ kind: 'module', name, target: name, from: 'not loaded', to: 'loaded' }) as const);
}

/** A card's display functions last: what belongs to them (sound, USB) must not outlive them. */
function driverSteps(
  ours: readonly Chosen[],
  parked: readonly PciFunction[],
  { wishes, picture }: DeviceInput,
  resetMethods: ReadonlyMap<PciAddress, string>,
  sizes: ReadonlyMap<PciAddress, Readonly<Record<string, number>>>,
): Step[] {
  const moves = [
    ...ours.map(({ fn }) => ({
      fn,
      driver: fn.isVfio ? fn.driver : (picture.vfioDrivers.get(fn.address) ?? GENERIC_VFIO).driver,
    })),
    ...parked.map((fn) => ({ fn, driver: null })),
  ];
  return moves
    .sort(
      (a, b) =>
        compareSlots(a.fn, b.fn) ||
        Number(isDisplay(a.fn)) - Number(isDisplay(b.fn)) ||
        comparePciAddresses(a.fn.address, b.fn.address),
    )
    .map(({ fn, driver }) => {
      const isAwake =
        driver !== null && (wishes.keepAwake === 'all' || (wishes.keepAwake === 'display' && isDisplay(fn)));
      const resetMethod = resetMethods.get(fn.address);
      const barSizes = sizes.get(fn.address);
      return {
        ...driverStep(fn, driver, wishes.deadlineMs),
        ...(isAwake ? { awake: true } : {}),
        ...(resetMethod === undefined ? {} : { resetMethod }),
        ...(barSizes === undefined ? {} : { barSizes }),
      };
    });
}

function driverStep(fn: PciFunction, driver: string | null, deadlineMs: number): StepOf<'driver'> {
  return {
    kind: 'driver',
    address: fn.address,
    driver,
    deadlineMs,
    target: fn.address,
    from: fn.driver,
    to: driver,
  };
}

function compareSlots(a: PciFunction, b: PciFunction): number {
  const [left, right] = [pciSlot(a.address), pciSlot(b.address)];
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}

function isDisplay(fn: PciFunction): boolean {
  return pciKind(fn.classCode) === 'display';
}
