import type { Report } from '../lib/apply/report.ts';
import { reportTo } from '../lib/apply/report-to.ts';
import type { Globals } from './globals.ts';

/** A report for a person at a terminal: each step as it ends, notes on stderr. */
export function watchingReport(globals: Globals, guest: string, operation: string): Report {
  const { host, quiet, json, err } = globals;
  const silent = quiet || json;
  return reportTo(
    host,
    { guest, operation },
    {
      watch: (text) => void (silent || process.stdout.write(`${text}\n`)),
      tell: (text) => void (quiet || err(`note: ${text}`)),
    },
  );
}
