import type { CpuPicture } from '../host/cpu-picture.ts';
import type { Domain } from '../inputs/domain.ts';
import type { Profile } from '../inputs/profile.ts';
import type { HeldStep } from '../words/step.ts';

/** What the planner of the CPUs decides from. */
export interface CpuPlanInput {
  readonly profile: Profile['cpu'];
  readonly domain: Domain | null;
  readonly picture: CpuPicture;
  /** What other guests hold. */
  readonly held: readonly HeldStep[];
}
