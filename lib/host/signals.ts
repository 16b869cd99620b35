/**
 * From here on the signals that ask us to end are only remembered: the change under way looks at them between two steps and
 * undoes itself. The streams that we write to are left alone: to touch them costs the hook more than all signals, and it has
 * nothing to say most of the time.
 */
export function watchSignals(
  signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGINT'],
): () => string | null {
  let received: string | null = null;
  for (const signal of signals) {
    process.on(signal, () => {
      received = signal;
    });
  }
  process.on('SIGPIPE', () => {});
  return () => received;
}
