import type { Connection } from '../../lib/host/processes.ts';

/** A connection whose other side is a test: it sees what was sent and says what it likes, in parts of its choice. */
export class FakeConnection implements Connection {
  readonly sent: string[] = [];
  /** Answers each line that is sent; by default nobody does. */
  answer: (line: string) => void = () => {};
  #onText: (text: string) => void = () => {};
  #onEnd: (why: string) => void = () => {};
  #closed = false;

  send(text: string): void {
    if (this.#closed) return;
    this.sent.push(text);
    this.answer(text);
  }
  listen(onText: (text: string) => void, onEnd: (why: string) => void): void {
    this.#onText = onText;
    this.#onEnd = onEnd;
  }
  close(): void {
    this.end('it is closed');
  }
  say(...parts: readonly string[]): void {
    for (const part of parts) this.#onText(part);
  }
  end(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onEnd(why);
  }
}

export const GREETING = `${JSON.stringify({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 }, package: '' }, capabilities: ['oob'] } })}\r\n`;

/** The other side of QMP: greets, and answers each command with what the table says (an Error for a refusal). */
export function fakeQemu(
  answers: Readonly<Record<string, unknown>> = {},
  onCommand: (command: string, args: unknown) => void = () => {},
): FakeConnection {
  const connection = new FakeConnection();
  connection.answer = (line) => {
    const {
      execute,
      arguments: args,
      id,
    } = JSON.parse(line) as {
      execute: string;
      arguments?: unknown;
      id: string;
    };
    queueMicrotask(() => {
      onCommand(execute, args);
      const value = Object.hasOwn(answers, execute) ? answers[execute] : {};
      const said =
        value instanceof Error
          ? { error: { class: 'GenericError', desc: value.message }, id }
          : { return: value, id };
      connection.say(`${JSON.stringify(said)}\r\n`);
    });
  };
  queueMicrotask(() => connection.say(GREETING));
  return connection;
}
