/** What signals do while a guest is run: `ask` is a person's Ctrl-C, `order` comes from a program that will not come back. */
export interface SignalTarget {
  ask(): void;
  order(): void;
}

/**
 * Hands signals to whatever is under way (prepare, QEMU, release), which changes in the course of a run. Pipes whose reader went away
 * are no reason to die: the guest goes on.
 */
export function runSignals(): { to(target: SignalTarget): void; asked(): boolean } {
  let target: SignalTarget | null = null;
  let asked = false;
  const on = (signal: NodeJS.Signals, act: keyof SignalTarget) =>
    process.on(signal, () => {
      asked = true;
      target?.[act]();
    });
  on('SIGINT', 'ask');
  on('SIGTERM', 'order');
  on('SIGHUP', 'order');
  process.on('SIGPIPE', () => {});
  return {
    to(next) {
      target = next;
    },
    asked: () => asked,
  };
}
