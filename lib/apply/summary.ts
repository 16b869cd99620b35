import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import { heldSteps, readState } from './journal.ts';
import type { Journal } from './journal-text.ts';

/** Who holds what, without what undo needs to know: readable for everybody, so that `devices` and `status` tell ordinary users too. */
export interface Summary {
  readonly guests: readonly {
    readonly guest: string;
    readonly uuid: string | null;
    readonly steps: readonly { readonly kind: string; readonly target: string; readonly to: string | null }[];
  }[];
}

export const SUMMARY_FILE = 'summary.json';

/**
 * Writes the summary anew from the journals, but for one that is about to go; none left, none there. It is a convenience: that it
 * cannot be written (a full /run) fails nothing, but then an old one must not stay either.
 */
export function writeSummary(host: Host, stateDir: string, without: string | null = null): void {
  const journals = readState(host, stateDir).journals.filter(({ path }) => path !== without);
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

function summaryOf(journals: readonly Journal[]): Summary {
  return {
    guests: journals.map((journal) => ({
      guest: journal.header.guest,
      uuid: journal.header.uuid,
      steps: heldSteps([journal]).map(({ step: { kind, target, to } }) => ({ kind, target, to })),
    })),
  };
}
