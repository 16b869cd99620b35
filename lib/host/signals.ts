/**
 * From here on the signals that ask us to end are only remembered: the change under way looks at them between two steps and
 * undoes itself. A reader of our output that goes away is no reason to die in the middle of a change either.
 */
export function watchSignals(): () => string | null {
  let received: string | null = null;
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    process.on(signal, () => {
      received = signal;
    });
  }
  process.on('SIGPIPE', () => {});
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return () => received;
}
