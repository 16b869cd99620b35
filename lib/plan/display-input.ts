import type { DisplayCard, DisplayPicture } from '../host/display-picture.ts';
import type { PciFunction } from '../host/pci-function.ts';
import type { Profile } from '../inputs/profile.ts';
import { pciKind } from '../words/pci-class.ts';
import type { HeldStep } from '../words/step.ts';
import type { PlanPart } from './part.ts';

/** What the planner of the hand-over decides from. */
export interface DisplayInput {
  readonly guest: string;
  readonly wishes: Profile['handover'];
  /** How long one write to the kernel may take. */
  readonly deadlineMs: number;
  /** The functions that the guest gets and that are not on VFIO yet. */
  readonly taken: readonly PciFunction[];
  readonly picture: DisplayPicture;
  /** Live steps of all other guests. */
  readonly held: readonly HeldStep[];
  /** Whether a command of the user's runs first, which may make holders let go. */
  readonly holdersMayLeave?: boolean;
}

/** The hand-over's part of the plan, and the processes that will have let go when the functions are taken. */
export interface DisplayPart extends PlanPart {
  readonly leaving: ReadonlySet<number>;
}

/** The display functions among those that are taken. */
export function displaysOf({ taken }: DisplayInput): readonly PciFunction[] {
  return taken.filter(({ classCode, isVfio }) => pciKind(classCode) === 'display' && !isVfio);
}

/** Whether no graphics card is left that could show the host's display. */
export function isOnlyDisplay(input: DisplayInput): boolean {
  return otherDisplays(input).length === 0;
}

/** The cards that stay and could show the host's display: those with a driver, but for one that only computes (class 0302) and has no connector. */
export function otherDisplays({ picture, taken }: DisplayInput): readonly DisplayCard[] {
  const gone = new Set(taken.map(({ address }) => address));
  return picture.cards.filter(
    ({ address, driver, classCode, connectors }) =>
      !gone.has(address) &&
      driver !== null &&
      !/vfio|^pci-stub$/.test(driver) &&
      (connectors.length > 0 || !classCode.startsWith('0302')),
  );
}
