import { kindOf } from '../../lib/steps/registry.ts';
import type { HeldStep, Step } from '../../lib/words/step.ts';
import type { FakeHost } from './fake-host.ts';

/** Guests that hold steps on one machine, with as little of the executor around the kinds as tests of these need. */
export class Guests {
  readonly notes: string[] = [];
  readonly #host: FakeHost;
  #held: HeldStep[] = [];

  constructor(host: FakeHost) {
    this.#host = host;
  }

  /** Observes, remembers and applies; a failing apply leaves its memory, as the journal does. */
  async prepare(guest: string, step: Step): Promise<void> {
    const kind = kindOf(step);
    const context = this.#context(guest);
    const entry = { guest, index: this.#held.length, at: 0, step, was: kind.observe(step, context) };
    this.#held.push(entry as HeldStep);
    const got = await kind.apply(step, entry.was, context);
    this.#held = this.#held.map((held) =>
      held === (entry as HeldStep) ? ({ ...entry, got } as HeldStep) : held,
    );
  }

  /** Undoes what the guest holds, the last step first; twice, because that must be safe. */
  async release(guest: string): Promise<void> {
    const own = () => this.#held.filter((held) => held.guest === guest);
    for (const held of own().reverse()) {
      for (let times = 0; times < 2; times++) {
        const context = { ...this.#context(guest), own: own() };
        await kindOf(held.step).undo(held.step, held.was, held.got, context);
      }
      this.#held = this.#held.filter((other) => other !== held);
    }
  }

  /** As if the process had been killed before it could write down how the guest's steps ended. */
  forgetOutcome(guest: string): void {
    this.#held = this.#held.map((held) => {
      if (held.guest !== guest) return held;
      const { got: _got, ...entry } = held;
      return entry as HeldStep;
    });
  }

  /** What has changed of a guest's steps since, a line each. */
  drift(guest: string): string[] {
    return this.#held
      .filter((held) => held.guest === guest)
      .map(({ step, was, got }) => kindOf(step).drift?.(step, was, got, this.#context(guest)) ?? null)
      .filter((line) => line !== null);
  }

  /** The memory of a guest's only step. */
  memory(guest: string): unknown {
    return this.#held.find((held) => held.guest === guest)?.was;
  }

  #context(guest: string) {
    const others = this.#held.filter((held) => held.guest !== guest);
    return { host: this.#host, guest, others, note: (line: string) => void this.notes.push(line) };
  }
}
