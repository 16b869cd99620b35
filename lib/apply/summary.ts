import type { Host } from '../host/host.ts';
import { heldSteps, readState } from './journal.ts';

/** Who holds what, without what undo needs to know: readable for everybody, so that `devices` and `status` tell ordinary users too. */
export interface Summary {
  readonly guests: readonly {
    readonly guest: string;
    readonly uuid: string | null;
    readonly steps: readonly { readonly kind: string; readonly target: string; readonly to: string | null }[];
  }[];
}

export const SUMMARY_FILE = 'summary.json';

/** Writes the summary anew from the journals, but for one that is about to go; none left, none there. */
export function writeSummary(host: Host, stateDir: string, without: string | null = null): void {
  const journals = readState(host, stateDir).journals.filter(({ path }) => path !== without);
  const path = `${stateDir}/${SUMMARY_FILE}`;
  if (journals.length === 0) {
    host.remove(path);
    return;
  }
  const summary: Summary = {
    guests: journals.map((journal) => ({
      guest: journal.header.guest,
      uuid: journal.header.uuid,
      steps: heldSteps([journal]).map(({ step: { kind, target, to } }) => ({ kind, target, to })),
    })),
  };
  host.replaceFile(path, `${JSON.stringify(summary)}\n`, 0o644);
}
