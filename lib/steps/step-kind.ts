import type { Host } from '../host/host.ts';
import type { HeldStep, KindName, Memory, Outcome, StepOf } from '../words/step.ts';

/** What a step may look at beside its own arguments. */
export interface StepContext {
  readonly host: Host;
  readonly guest: string;
  /** Live steps of all *other* guests' journals, for shared values and for who holds what. */
  readonly others: readonly HeldStep[];
  /** In an undo: the steps of this guest that are still in force, this one included. */
  readonly own?: readonly HeldStep[];
  /** Tells the person and the log something that is not a failure: a value others have changed, an interrupt that refused. */
  note(line: string): void;
}

/**
 * One kind of change. `observe` reads what undo needs from the very files that `apply` writes; the executor has
 * the memory on disk before `apply` begins. `apply` acts, then looks, and throws unless the host agrees.
 * `undo` must be safe twice, safe when `apply` never began or stopped anywhere inside, and must leave alone
 * what somebody else has changed since (saying so by `note`). It throws where something is still not back.
 */
export interface StepKind<K extends KindName> {
  /** It writes through the writer process (Host.writeSlowly), which the journal then names before the first order. */
  readonly writesSlowly?: true;
  describe(step: StepOf<K>): string;
  describeUndo(step: StepOf<K>, was: Memory<K>): string;
  observe(step: StepOf<K>, context: StepContext): Memory<K>;
  /** Adds to what `observe` read what only a program can say; both are on disk before `apply` begins. */
  ask?(step: StepOf<K>, was: Memory<K>, context: StepContext): Promise<Memory<K>>;
  apply(step: StepOf<K>, was: Memory<K>, context: StepContext): Promise<Outcome<K>> | Outcome<K>;
  undo(
    step: StepOf<K>,
    was: Memory<K>,
    got: Outcome<K> | undefined,
    context: StepContext,
  ): Promise<void> | void;
  /**
   * For kinds whose undo is relative (a page pool): what a step that was cut short has done so far. Called by the next
   * process that takes the lock, before anything else changes, so that the answer is exact.
   */
  settle?(step: StepOf<K>, was: Memory<K>, context: StepContext): Outcome<K>;
  /**
   * The same for an undo that was cut short: `mark` is what `observe` gave just before it began; the answer is what is
   * still ours to give back, and takes the place of `got`.
   */
  settleUndo?(
    step: StepOf<K>,
    was: Memory<K>,
    got: Outcome<K>,
    mark: Memory<K>,
    context: StepContext,
  ): Outcome<K>;
  /** What somebody else has changed of it since, in words, or null. Reads only. */
  drift?(step: StepOf<K>, was: Memory<K>, got: Outcome<K> | undefined, context: StepContext): string | null;
}
