import { heldSteps, liveEntries, readState } from '../lib/apply/journal.ts';
import type { Journal } from '../lib/apply/journal-text.ts';
import { whyAlive } from '../lib/apply/owner.ts';
import { SUMMARY_FILE, type Summary } from '../lib/apply/summary.ts';
import { describeStep, kindOf } from '../lib/steps/registry.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { formatRunning, listRunning } from './running-guests.ts';

interface GuestStatus {
  readonly guest: string;
  readonly uuid: string | null;
  readonly owner: string;
  readonly state: 'prepared' | 'interrupted' | 'release pending';
  /** Why it counts as alive, or null: then recover gives it back. */
  readonly alive: string | null;
  readonly since: string;
  readonly steps: readonly {
    readonly summary: string;
    readonly target: string;
    readonly drift: string | null;
  }[];
}

/** `passqemu status [guest]`: who holds what, whether it still runs, and what others have changed of it since. */
export async function status(line: CommandLine, globals: Globals): Promise<number> {
  const { host, stateDir } = globals;
  const wanted = line.words[0] ?? null;
  const state = readState(host, stateDir);
  const isWanted = (journal: Journal) => wanted === null || journal.header.guest === wanted;
  const guests = state.journals.filter(isWanted).map((journal) => statusOf(journal, state.journals, globals));
  const running = await listRunning(wanted, globals);
  const unreadable = state.unreadable.map(({ path, why }) => ({ path, why }));
  if (globals.json) {
    globals.out(
      JSON.stringify(
        { guests, running, unreadable, summary: unreadable.length > 0 ? readSummary(globals) : null },
        null,
        2,
      ),
    );
  } else {
    for (const one of running) globals.out(formatRunning(one));
    for (const guest of guests) globals.out(formatStatus(guest));
    if (guests.length + running.length === 0 && unreadable.length === 0)
      globals.out(wanted === null ? 'Nothing is held' : `${wanted} holds nothing`);
    // An ordinary user cannot read journals, but may know who holds what
    const summary = unreadable.length > 0 ? readSummary(globals) : null;
    for (const one of summary?.guests ?? [])
      globals.out(`${one.guest} holds ${one.steps.map(({ target }) => target).join(', ')}`);
    for (const { path, why } of unreadable) globals.err(`passqemu: Cannot read ${path}: ${why}`);
  }
  return 0;
}

function statusOf(journal: Journal, all: readonly Journal[], { host }: Globals): GuestStatus {
  const others = heldSteps(all.filter((other) => other !== journal));
  const context = { host, guest: journal.header.guest, others, note: () => {} };
  return {
    guest: journal.header.guest,
    uuid: journal.header.uuid,
    owner: journal.owner.kind,
    state: journal.pending !== null ? 'release pending' : journal.ready ? 'prepared' : 'interrupted',
    alive: whyAlive(host, journal),
    since: new Date(journal.header.at).toISOString(),
    steps: liveEntries(journal).map(({ step, was, got }) => ({
      summary: describeStep(step),
      target: step.target,
      drift: kindOf(step).drift?.(step, was, got, context) ?? null,
    })),
  };
}

function readSummary({ host, stateDir }: Globals): Summary | null {
  const text = host.readOptional(`${stateDir}/${SUMMARY_FILE}`);
  return text === null ? null : (JSON.parse(text) as Summary);
}

function formatStatus({ guest, owner, state, alive, since, steps }: GuestStatus): string {
  const life = alive ?? 'nothing of it runs: passqemu recover gives it back';
  const lines = steps.map(
    ({ summary, drift }) => `  ${summary}${drift === null ? '' : `\n    changed by others since: ${drift}`}`,
  );
  return [`${guest}: ${state} for ${owner} since ${since}; ${life}`, ...lines].join('\n');
}
