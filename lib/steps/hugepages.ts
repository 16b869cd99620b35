import type { Host } from '../host/host.ts';
import { type PagePool, readPagePool, readPageTotals } from '../host/page-pool.ts';
import { readMappedKib } from '../host/qemu-processes.ts';
import { pageHolders, promisedPages } from '../plan/promised-pages.ts';
import { HostError } from '../words/errors.ts';
import { formatKib } from '../words/size.ts';
import { type HeldStep, heldOf, type StepOf } from '../words/step.ts';
import { givablePages, growPool, relieveMemory, shrinkPool } from './page-pool-changes.ts';
import type { StepContext, StepKind } from './step-kind.ts';

/** How long a QEMU that is ending may take to let go of its pages. */
const LET_GO_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/**
 * Has pages of one size free for the guest on one node, and gives back exactly what it added: the pool may grow and
 * shrink by other guests and by the admin meanwhile. A write to nr_hugepages is a target that the kernel misses in
 * silence (Documentation/admin-guide/mm/hugetlbpage.rst), so only what is read back counts.
 *
 * Memory: `was.pool` is what a process that was killed inside `apply` started from, so the next one, before anything else
 * changes, knows by subtraction what came of it (`settle`). A finished `apply` says what its own writes added, which stays
 * true whoever changes the pool later. `settleUndo` does the same subtraction from the other side.
 */
export const hugepagesKind: StepKind<'hugepages'> = {
  describe: (step) => `have ${inWords(step, step.pages)} free`,
  describeUndo: (step) => `give back the pages of ${formatKib(step.sizeKib)} added on node ${step.node}`,

  // A node that is gone (memory can be unplugged) has no pages; apply refuses it, undo has nothing to do there
  observe(step, { host }) {
    const pool = readPagePool(host, step.sizeKib, step.node);
    return { pool: pool?.pages ?? 0, surplus: pool?.surplus ?? 0 };
  },

  async apply(step, was, context) {
    const { host } = context;
    // What the others lack already is not ours to heal, and would make us grow the pool for them
    const lackedByOthers = Math.max(0, -sparePages(step, requirePool(host, step), context));
    const until = host.now() + step.waitMs;
    let added = 0;
    for (
      let pauseMs = FIRST_PAUSE_MS, short = 0;
      ;
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS), short++
    ) {
      let pool = requirePool(host, step);
      let missing = step.pages - sparePages(step, pool, context) - lackedByOthers;
      // Growing turns surplus pages into lasting ones first, and those are in use: so more than one round, but not for ever
      for (let room = step.pages + was.surplus - added; missing > 0 && room > 0; ) {
        const asked = Math.min(missing, room);
        const grown = growPool(host, pool, asked, step);
        added += grown;
        room -= grown;
        pool = requirePool(host, step);
        missing = step.pages - sparePages(step, pool, context) - lackedByOthers;
        if (grown < asked) break;
      }
      if (missing <= 0) return { added };
      if (host.now() >= until) {
        shrinkPool(host, step, Math.min(added, pool.free));
        throw shortage(step, pool, missing);
      }
      relieveMemory(host, step, short === 0);
      await host.sleep(pauseMs);
    }
  },

  async undo(step, was, got, context) {
    const { host } = context;
    const until = host.now() + LET_GO_MS;
    let left = got?.added ?? 0;
    for (let pauseMs = FIRST_PAUSE_MS; left > 0; ) {
      const pool = readPagePool(host, step.sizeKib, step.node);
      if (pool === null || pool.pages < left) {
        const gone = left - (pool?.pages ?? 0);
        context.note(
          `${inWords(step, gone)} of ours are gone from the pool already: somebody else has shrunk it`,
        );
        left -= gone;
        continue;
      }
      const givable = Math.min(left, givablePages(pool, was.surplus, promises(step, context)));
      const given = givable > 0 ? shrinkPool(host, step, givable) : 0;
      left -= given;
      if (given > 0) continue;
      // Only a process that ends can still free some
      if (pool.used === 0 || host.now() >= until) throw stillNeeded(step, left, context);
      await host.sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  },

  settle(step, was, { host }) {
    const now = readPagePool(host, step.sizeKib, step.node)?.pages ?? 0;
    // Never more than apply could have asked for: the rest would be the admin's
    return { added: Math.min(Math.max(0, now - was.pool), step.pages + was.surplus) };
  },

  settleUndo(step, _was, got, mark, { host }) {
    const now = readPagePool(host, step.sizeKib, step.node)?.pages ?? 0;
    return { added: Math.max(0, got.added - Math.max(0, mark.pool - now)), leaving: true };
  },

  drift(step, _was, got, { host, others }) {
    if (got?.leaving) return `${inWords(step, got.added)} were being given back already`;
    const pool = readPagePool(host, step.sizeKib, step.node);
    const has = pool === null ? 0 : pool.free + pool.used;
    const needed = step.pages + neededByOthers(step, others);
    return has >= needed
      ? null
      : `node ${step.node} has ${has} pages of ${formatKib(step.sizeKib)}, its guests need ${needed}`;
  },
};

type Step = StepOf<'hugepages'>;

/**
 * Pages of the node that are free and spoken for by nobody; below zero where others lack some. A reservation is kept for
 * the whole machine, so it may fall on this node: all of them are taken off.
 */
function sparePages(step: Step, pool: PagePool, { host, others }: StepContext): number {
  const promised = promisedPages(others, mappedByOthers(step, others, host), step.sizeKib, step.node);
  return pool.free - readPageTotals(host, step.sizeKib).reserved - promised;
}

/** What must stay free for others: on the node, and on all nodes together, where the kernel's reservations count too. */
function promises(step: Step, { host, others }: StepContext): Parameters<typeof givablePages>[2] {
  const mapped = mappedByOthers(step, others, host);
  const promisedOn = (node: number) => promisedPages(others, mapped, step.sizeKib, node);
  const nodes = new Set(heldOf(others, 'hugepages').map((held) => held.step.node));
  const everywhere = [...nodes].reduce((sum, node) => sum + promisedOn(node), 0);
  return { here: promisedOn(step.node), everywhere, totals: readPageTotals(host, step.sizeKib) };
}

/** A look at every process, so only where another guest was promised pages of the same size. */
function mappedByOthers(step: Step, others: readonly HeldStep[], host: Host): Map<string, number> {
  const any = heldOf(others, 'hugepages').some((held) => held.step.sizeKib === step.sizeKib);
  return any ? readMappedKib(host) : new Map();
}

function neededByOthers(step: Step, others: readonly HeldStep[]): number {
  const same = heldOf(others, 'hugepages').filter(
    (held) => held.step.sizeKib === step.sizeKib && held.step.node === step.node,
  );
  return same.reduce((sum, held) => sum + held.step.pages, 0);
}

function requirePool(host: Host, step: Step): PagePool {
  const pool = readPagePool(host, step.sizeKib, step.node);
  if (pool !== null) return pool;
  throw new HostError(
    `Cannot find pages of ${formatKib(step.sizeKib)} on node ${step.node}: the kernel shows no such pool`,
  );
}

function shortage(step: Step, pool: PagePool, missing: number): HostError {
  const { sizeKib, node, pages, waitMs } = step;
  const size = formatKib(sizeKib);
  const boot = `hugepagesz=${sizeKib % 1_048_576 === 0 ? `${sizeKib / 1_048_576}G` : `${sizeKib / 1024}M`} hugepages=${pool.pages + missing}`;
  const hint =
    sizeKib >= 1_048_576
      ? `Pages of ${size} are rarely to be had once the host runs: reserve them at boot (kernel command line: ${boot}) or use 2 MiB`
      : `Stop what uses memory on node ${node}, allow drop-caches in the profile’s [memory], or reserve the pages at boot (${boot})`;
  return new HostError(
    `Cannot have the guest’s memory in huge pages: node ${node}: ${Math.max(0, pages - missing)} of ${pages} pages of ${size} after ${waitMs / 1000} s`,
    { code: 'ENOMEM', path: pool.folder, hint },
  );
}

function stillNeeded(step: Step, left: number, { others }: StepContext): HostError {
  const holders = pageHolders(others, step.sizeKib, step.node);
  const whom = holders.length === 0 ? '' : ` or promised to ${holders.join(', ')}`;
  return new HostError(`Cannot give back ${inWords(step, left)}: they are in use${whom}`, {
    code: 'EBUSY',
    hint: 'They go back when release or recover runs again after that has ended',
  });
}

function inWords({ sizeKib, node }: Step, pages: number): string {
  return `${pages} ${pages === 1 ? 'page' : 'pages'} of ${formatKib(sizeKib)} on node ${node}`;
}
