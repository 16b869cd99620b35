import type { KindName, Memory, Outcome, Step } from '../words/step.ts';
import { affinitiesKind } from './affinities.ts';
import { commandKind } from './command.ts';
import { consoleKind } from './console.ts';
import { driverKind } from './driver.ts';
import { framebufferKind } from './framebuffer.ts';
import { governorKind } from './governor.ts';
import { hugepagesKind } from './hugepages.ts';
import { inhibitKind } from './inhibit.ts';
import { irqsKind } from './irqs.ts';
import { moduleKind } from './module.ts';
import { nodeKind } from './node.ts';
import { partitionKind } from './partition.ts';
import { processKind } from './process.ts';
import { sessionKind } from './session.ts';
import { settingKind } from './setting.ts';
import { sliceKind } from './slice.ts';
import type { StepContext, StepKind } from './step-kind.ts';
import { unitKind } from './unit.ts';
import { unloadKind } from './unload.ts';
import { watchdogKind } from './watchdog.ts';
import { workqueuesKind } from './workqueues.ts';

const KINDS: { readonly [K in KindName]: StepKind<K> } = {
  inhibit: inhibitKind,
  module: moduleKind,
  hugepages: hugepagesKind,
  driver: driverKind,
  affinities: affinitiesKind,
  slice: sliceKind,
  partition: partitionKind,
  irqs: irqsKind,
  workqueues: workqueuesKind,
  governor: governorKind,
  setting: settingKind,
  node: nodeKind,
  command: commandKind,
  unit: unitKind,
  session: sessionKind,
  process: processKind,
  console: consoleKind,
  framebuffer: framebufferKind,
  unload: unloadKind,
  watchdog: watchdogKind,
};

/** A kind with its step, memory and outcome still together, but no longer told apart by the compiler. */
interface AnyKind {
  readonly writesSlowly?: true;
  describe(step: Step): string;
  describeUndo(step: Step, was: Memory<KindName>): string;
  observe(step: Step, context: StepContext): Memory<KindName>;
  ask?(step: Step, was: Memory<KindName>, context: StepContext): Promise<Memory<KindName>>;
  apply(
    step: Step,
    was: Memory<KindName>,
    context: StepContext,
  ): Promise<Outcome<KindName>> | Outcome<KindName>;
  undo(
    step: Step,
    was: Memory<KindName>,
    got: Outcome<KindName> | undefined,
    context: StepContext,
  ): Promise<void> | void;
  settle?(step: Step, was: Memory<KindName>, context: StepContext): Outcome<KindName>;
  settleUndo?(
    step: Step,
    was: Memory<KindName>,
    got: Outcome<KindName>,
    mark: Memory<KindName>,
    context: StepContext,
  ): Outcome<KindName>;
  drift?(
    step: Step,
    was: Memory<KindName>,
    got: Outcome<KindName> | undefined,
    context: StepContext,
  ): string | null;
}

/** The kind that carries out a step. */
export function kindOf(step: Step): AnyKind {
  return KINDS[step.kind] as unknown as AnyKind;
}

/** What a step does, in words: "bind 0000:01:00.0 to vfio-pci". */
export function describeStep(step: Step): string {
  return kindOf(step).describe(step);
}
