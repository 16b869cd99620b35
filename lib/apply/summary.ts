import type { Host } from '../host/host.ts';
import { cpuHolders } from '../plan/cpu-holders.ts';
import { formatCpuList } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { heldSteps, readState } from './journal.ts';
import type { Journal } from './journal-text.ts';

/** Who holds what, without what undo needs to know: readable for everybody, so that `devices` and `status` tell ordinary users too. */
export interface Summary {
  readonly guests: readonly {
    readonly guest: string;
    readonly uuid: string | null;
    /** The guest's CPUs as a kernel list; absent where an older passqemu wrote it. */
    readonly cpus?: string;
    readonly steps: readonly { readonly kind: string; readonly target: string; readonly to: string | null }[];
  }[];
}

export const SUMMARY_FILE = 'summary.json';

/**
 * Writes the summary anew from the journals, but for one that is about to go; none left, none there. It is a convenience: that it
 * cannot be written (a full /run) fails nothing, but then an old one must not stay either.
 */
export function writeSummary(host: Host, stateDir: string, without: string | null = null): void {
  const journals = readState(host, stateDir, without).journals;
  const path = `${stateDir}/${SUMMARY_FILE}`;
  if (journals.length > 0) {
    try {
      host.replaceFile(path, `${JSON.stringify(summaryOf(journals))}\n`, 0o644);
      return;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      host.log('warning', error.message);
    }
  }
  host.remove(path);
}

/** What the summary says, or null where there is none that can be read. */
export function readSummary(host: Host, stateDir: string): Summary | null {
  try {
    const summary = JSON.parse(host.read(`${stateDir}/${SUMMARY_FILE}`)) as Summary;
    return Array.isArray(summary.guests) ? summary : null;
  } catch {
    return null;
  }
}

function summaryOf(journals: readonly Journal[]): Summary {
  return {
    guests: journals.map((journal) => {
      const held = heldSteps([journal]);
      const { guest, uuid } = journal.header;
      const cpus = formatCpuList(cpuHolders(held).get(guest) ?? []);
      return {
        guest,
        uuid,
        cpus,
        steps: held.map(({ step: { kind, target, to } }) => ({ kind, target, to })),
      };
    }),
  };
}
