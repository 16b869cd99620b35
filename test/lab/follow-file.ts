import { closeSync, openSync, readSync } from 'node:fs';

/** Passes on what is appended to a file, until the returned function is called. */
export function followFile(file: string, pass: (text: string) => void): () => void {
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(65536);
  const look = (): void => {
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return;
      pass(buffer.toString('latin1', 0, length));
    }
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    look();
    closeSync(descriptor);
  };
}
