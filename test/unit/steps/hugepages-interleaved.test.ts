import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hugepagesKind } from '../../../lib/steps/hugepages.ts';
import type { StepContext } from '../../../lib/steps/step-kind.ts';
import { HostError } from '../../../lib/words/errors.ts';
import type { HeldStepOf, Memory, Outcome, StepOf } from '../../../lib/words/step.ts';
import { Died, FakeHost } from '../../fake/fake-host.ts';
import { addMemory, endQemu, poolOf, setPool, startQemu } from '../../fake/memory-model.ts';

const SIZE = 2048;
const NODES = [0, 1];
const GUESTS = ['a', 'b', 'c'];
const BASE = [30, 5];

/** One thing that happens. `dies`: at which host call of it our process is killed; 0 for never. */
type Event =
  | {
      readonly is: 'prepare';
      readonly guest: string;
      readonly needs: readonly number[];
      readonly dies: number;
    }
  | { readonly is: 'start' | 'end'; readonly guest: string }
  | { readonly is: 'release'; readonly guest: string; readonly dies: number }
  | { readonly is: 'admin'; readonly node: number; readonly by: number };

const guest = fc.constantFrom(...GUESTS);
const dies = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) },
);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    is: fc.constant('prepare' as const),
    guest,
    needs: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
    dies,
  }),
  fc.record({ is: fc.constantFrom('start' as const, 'end' as const), guest }),
  fc.record({ is: fc.constant('release' as const), guest, dies }),
  fc.record({
    is: fc.constant('admin' as const),
    node: fc.constantFrom(...NODES),
    by: fc.integer({ min: -40, max: 40 }),
  }),
);

interface Entry {
  readonly step: StepOf<'hugepages'>;
  readonly was: Memory<'hugepages'>;
  got?: Outcome<'hugepages'>;
  mark?: Memory<'hugepages'>;
}

/** Three guests, an admin and their machine, with the bookkeeping that the executor does around a step kind. */
class Story {
  host = new FakeHost();
  readonly journals = new Map<string, Entry[]>();
  readonly prepared = new Set<string>();
  readonly running = new Map<string, number>();
  /** What the pools would be without us. */
  readonly expected = [...BASE];
  readonly #fair: boolean;

  /** A fair admin takes away only what is free, promised to nobody and not ours. */
  constructor(fair: boolean) {
    this.#fair = fair;
    addMemory(
      this.host,
      NODES.map((id) => ({
        id,
        cpus: `${id}`,
        totalKib: 400 * SIZE,
        freeKib: 120 * SIZE,
        scatteredKib: 20 * SIZE,
        pools: { [SIZE]: { pages: BASE[id]! } },
      })),
    );
  }

  async tell(what: Event): Promise<void> {
    if (what.is === 'admin') this.#admin(what.node, what.by);
    else if ('dies' in what) await this.#process(what);
    else if (what.is === 'start') this.#start(what.guest);
    else this.#end(what.guest);
  }

  async finish(): Promise<void> {
    for (const name of GUESTS) this.#end(name);
    for (let round = 0; round < 3; round++) {
      for (const name of GUESTS) await this.#process({ is: 'release', guest: name, dies: 0 });
    }
  }

  /** One process of ours: takes the lock, settles, does its work, maybe dies in it. */
  async #process(what: Extract<Event, { dies: number }>): Promise<void> {
    this.host = this.host.restart();
    this.#settle();
    if (what.dies > 0) this.host.fault = { at: this.host.calls.length + what.dies, how: 'die' };
    try {
      if (what.is === 'prepare') await this.#prepare(what.guest, what.needs);
      else if (!this.running.has(what.guest)) await this.#release(what.guest);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
    this.host = this.host.restart();
    this.#settle();
  }

  async #prepare(name: string, needs: readonly number[]): Promise<void> {
    if (this.journals.has(name)) return;
    const journal: Entry[] = [];
    this.journals.set(name, journal);
    try {
      for (const [node, pages] of needs.entries()) {
        if (pages === 0) continue;
        const step = stepOf(node, pages);
        const entry: Entry = { step, was: hugepagesKind.observe(step, this.#context(name)) };
        journal.push(entry);
        entry.got = await hugepagesKind.apply(step, entry.was, this.#context(name));
      }
      this.prepared.add(name);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#settle();
      await this.#release(name);
    }
  }

  async #release(name: string): Promise<void> {
    this.prepared.delete(name);
    const journal = this.journals.get(name) ?? [];
    for (const entry of [...journal].reverse()) {
      entry.mark = hugepagesKind.observe(entry.step, this.#context(name));
      try {
        await hugepagesKind.undo(entry.step, entry.was, entry.got, this.#context(name));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.#settle();
        continue;
      }
      journal.splice(journal.indexOf(entry), 1);
    }
    if (journal.length === 0) this.journals.delete(name);
  }

  #settle(): void {
    for (const [name, journal] of this.journals) {
      for (const entry of journal) {
        const { step, was, got, mark } = entry;
        if (got === undefined) entry.got = hugepagesKind.settle!(step, was, this.#context(name));
        else if (mark !== undefined)
          entry.got = hugepagesKind.settleUndo!(step, was, got, mark, this.#context(name));
        delete entry.mark;
      }
    }
  }

  /** A guest that was prepared finds all its pages, whatever the others did. */
  #start(name: string): void {
    if (!this.prepared.has(name) || this.running.has(name)) return;
    const wanted = this.journals
      .get(name)!
      .map(({ step: { node, sizeKib, pages } }) => ({ node, sizeKib, pages }));
    if (!this.#fair && wanted.some(({ node, pages }) => poolOf(this.host, node, SIZE).free < pages)) return;
    this.running.set(name, startQemu(this.host, name, wanted));
  }

  #end(name: string): void {
    const pid = this.running.get(name);
    if (pid !== undefined) endQemu(this.host, pid);
    this.running.delete(name);
  }

  #admin(node: number, by: number): void {
    const before = poolOf(this.host, node, SIZE);
    const sum = (of: (entry: Entry, name: string) => number) =>
      [...this.journals].reduce(
        (total, [name, journal]) =>
          total + journal.reduce((all, entry) => all + (entry.step.node === node ? of(entry, name) : 0), 0),
        0,
      );
    const ours = sum(({ got }) => got?.added ?? 0);
    const promised = sum(({ step }, name) => (this.running.has(name) ? 0 : step.pages));
    const least = this.#fair ? Math.max(ours, before.pages - Math.max(0, before.free - promised)) : ours;
    setPool(this.host, node, SIZE, Math.max(before.pages + by, Math.min(least, before.pages)));
    this.expected[node]! += poolOf(this.host, node, SIZE).pages - before.pages;
  }

  #context(name: string): StepContext {
    const others = [...this.journals].flatMap(([other, journal]) =>
      other === name
        ? []
        : journal.map((entry, index): HeldStepOf<'hugepages'> => ({ guest: other, index, at: 0, ...entry })),
    );
    return { host: this.host, guest: name, others, note: () => {} };
  }
}

function stepOf(node: number, pages: number): StepOf<'hugepages'> {
  const face = { target: '', from: null, to: null };
  return {
    kind: 'hugepages',
    ...face,
    sizeKib: SIZE,
    node,
    pages,
    waitMs: 300,
    compact: true,
    dropCaches: false,
  };
}

test('hugepagesKind leaves the pools at their base and the admin’s changes, whatever three guests and kills do in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const story = new Story(true);
      for (const one of events) {
        await story.tell(one);
        for (const node of NODES)
          assert.equal(poolOf(story.host, node, SIZE).surplus, 0, 'a page in use left the pool');
      }
      await story.finish();
      assert.deepEqual(
        NODES.map((node) => poolOf(story.host, node, SIZE).pages),
        story.expected,
      );
      assert.equal(story.journals.size, 0);
    }),
    { numRuns: 500 },
  );
});

test('hugepagesKind ends at the same pools where the admin makes pages in use surplus', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const story = new Story(false);
      for (const one of events) await story.tell(one);
      await story.finish();
      // Only lasting pages: the kernel may keep a free page as surplus when the admin shrinks one pool below what another has in use
      assert.deepEqual(
        NODES.map((node) => poolOf(story.host, node, SIZE).pages),
        story.expected,
      );
      assert.equal(story.journals.size, 0);
    }),
    { numRuns: 500 },
  );
});
