import type { Host } from '../host/host.ts';
import type { Report } from './report.ts';

/**
 * A report that tells the system's log everything (guest, operation, step, duration) and a person what they asked to see:
 * `watch` gets each step as it ends, `tell` what they should know anyway.
 */
export function reportTo(
  host: Host,
  about: { guest: string; operation: string },
  people: { watch(line: string): void; tell(line: string): void },
): Report {
  const prefix = `${about.guest} ${about.operation}`;
  return {
    step(what, words, tookMs) {
      const line = `${what}: ${words} (${tookMs} ms)`;
      host.log(what === 'failed' || what === 'not undone' ? 'error' : 'info', `${prefix}: ${line}`);
      people.watch(line);
    },
    note(line) {
      host.log('notice', `${prefix}: ${line}`);
      people.tell(line);
    },
  };
}
