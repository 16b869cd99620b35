import type { Connection } from '../host/processes.ts';
import { HostError } from '../words/errors.ts';
import { formatQmpCommand, type QmpEvent, QmpLines, type QmpMessage } from './qmp-text.ts';

/** How long QEMU may take to greet: it does so only when all its devices are there, and memory may have to be touched first. */
export const GREETING_MS = 300_000;
/** How long it may take to answer a command. */
export const ANSWER_MS = 20_000;

interface Waiting {
  readonly command: string;
  readonly timer: NodeJS.Timeout;
  settle(answer: Extract<QmpMessage, { is: 'return' | 'error' }> | HostError): void;
}

/**
 * A talk with QEMU's monitor (docs/interop/qmp-spec.rst): commands with ids, so that answers find their question, and events.
 * Every wait has a deadline; text that is no QMP ends the talk, and with it all that waits.
 */
export class QmpClient {
  /** Of QEMU, from its greeting. */
  readonly version: readonly [number, number, number];
  /** Ends with the reason when the talk is over. */
  readonly ended: Promise<string>;
  readonly #talk: Talk;

  private constructor(talk: Talk, version: QmpClient['version']) {
    this.#talk = talk;
    this.version = version;
    this.ended = talk.ended;
  }

  /** Waits for the greeting and leaves the negotiation mode; asks for that at once, so that QEMU need not wait for us. */
  static async open(connection: Connection, greetingMs = GREETING_MS): Promise<QmpClient> {
    const talk = new Talk(connection);
    try {
      const ready = talk.ask('qmp_capabilities', {}, greetingMs + ANSWER_MS);
      ready.catch(() => {});
      const version = await talk.greeting(greetingMs);
      await ready;
      return new QmpClient(talk, version);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Asks for one command; a HostError with QEMU's own words and its class as code where QEMU refuses. */
  execute(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    timeoutMs = ANSWER_MS,
  ): Promise<unknown> {
    return this.#talk.ask(command, args, timeoutMs);
  }

  /** Calls back for each event until the answer is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#talk.listeners.add(listener);
    return () => void this.#talk.listeners.delete(listener);
  }

  /** The next event that fits, or null where none comes in time or the talk ends. */
  waitFor(fits: (event: QmpEvent) => boolean, timeoutMs: number): Promise<QmpEvent | null> {
    return new Promise((resolve) => {
      const done = (event: QmpEvent | null) => {
        clearTimeout(timer);
        forget();
        resolve(event);
      };
      const timer = setTimeout(() => done(null), timeoutMs);
      const forget = this.onEvent((event) => {
        if (fits(event)) done(event);
      });
      void this.ended.then(() => done(null));
    });
  }

  close(): void {
    this.#talk.close();
  }
}

/** The connection with what waits for it. */
class Talk {
  readonly listeners = new Set<(event: QmpEvent) => void>();
  readonly ended: Promise<string>;
  readonly #connection: Connection;
  readonly #waiting = new Map<string, Waiting>();
  #version: QmpClient['version'] | null = null;
  #onGreeting: (() => void) | null = null;
  #why: string | null = null;
  #onEnd: (why: string) => void = () => {};
  #count = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    const lines = new QmpLines();
    connection.listen(
      (part) => {
        if (this.#why !== null) return;
        try {
          for (const message of lines.push(part)) this.#take(message);
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          this.#finish(error.message);
          connection.close();
        }
      },
      (why) => this.#finish(why),
    );
  }

  async greeting(timeoutMs: number): Promise<QmpClient['version']> {
    if (this.#version === null && this.#why === null) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onGreeting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#version !== null) return this.#version;
    const why = this.#why ?? `it has not greeted within ${timeoutMs / 1000} s`;
    throw new HostError(`Cannot talk to QEMU: ${why}`, { code: this.#why === null ? 'ETIMEDOUT' : 'EPIPE' });
  }

  ask(command: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown> {
    if (this.#why !== null) return Promise.reject(this.#over(command));
    const id = `passqemu-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new HostError(`Cannot do ${command}: QEMU has not answered within ${timeoutMs / 1000} s`, {
            code: 'ETIMEDOUT',
          }),
        );
      }, timeoutMs);
      const settle: Waiting['settle'] = (answer) => {
        clearTimeout(timer);
        if (answer instanceof HostError) reject(answer);
        else if (answer.is === 'return') resolve(answer.value);
        else reject(new HostError(`Cannot do ${command}: QEMU says ${answer.text}`, { code: answer.kind }));
      };
      this.#waiting.set(id, { command, timer, settle });
      this.#connection.send(formatQmpCommand(id, command, args));
    });
  }

  close(): void {
    this.#finish('it was closed');
    this.#connection.close();
  }

  #take(message: QmpMessage): void {
    if (message.is === 'greeting') {
      this.#version ??= message.version;
      this.#onGreeting?.();
    } else if (message.is === 'event') {
      for (const listener of [...this.listeners]) listener(message);
    } else {
      const waiting = message.id === null ? undefined : this.#waiting.get(message.id);
      // An answer that came too late, or an error about text that QEMU could not read: nobody waits for it
      if (waiting === undefined) return;
      this.#waiting.delete(message.id!);
      waiting.settle(message);
    }
  }

  #finish(why: string): void {
    if (this.#why !== null) return;
    this.#why = why;
    for (const { settle, command } of this.#waiting.values()) settle(this.#over(command));
    this.#waiting.clear();
    this.#onGreeting?.();
    this.#onEnd(why);
  }

  #over(command: string): HostError {
    return new HostError(`Cannot do ${command}: the talk with QEMU is over (${this.#why})`, {
      code: 'EPIPE',
    });
  }
}
