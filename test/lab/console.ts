import { StringDecoder } from 'node:string_decoder';

/** What the machine said when it ended: only a run with this line has really finished. */
export interface Closing {
  status: number;
  uptime: number;
}

/**
 * Takes the second serial port's bytes and passes on what lies between the opening and the closing line. Both carry a
 * word that only this run knows, so no script can close its run by printing.
 */
export class ScriptOutput {
  closing: Closing | null = null;
  started: number | null = null;
  readonly #word: string;
  readonly #pass: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  constructor(word: string, pass: (text: string) => void) {
    this.#word = word;
    this.#pass = pass;
  }

  push(bytes: Buffer): void {
    this.#pending += this.#decoder.write(bytes);
    if (this.started === null && !this.#open()) return;
    if (this.closing === null && !this.#close()) this.#passOn();
  }

  #open(): boolean {
    const match = new RegExp(`LAB-START ${this.#word} ([\\d.]+) [\\d.]+\\r?\\n`).exec(this.#pending);
    if (match === null) return false;
    this.started = Number(match[1]);
    this.#pending = this.#pending.slice(match.index + match[0].length);
    return true;
  }

  #close(): boolean {
    const match = new RegExp(`LAB-END ${this.#word} ([\\d.]+) [\\d.]+ (\\d+)\\r?\\n`).exec(this.#pending);
    if (match === null) return false;
    this.#pass(this.#pending.slice(0, match.index));
    this.#pending = '';
    this.closing = { uptime: Number(match[1]), status: Number(match[2]) };
    return true;
  }

  /** Everything but a last line that may still become the closing one. */
  #passOn(): void {
    const mark = this.#pending.lastIndexOf('LAB-END');
    const tail = mark === -1 ? partOfMark(this.#pending) : this.#pending.length - mark;
    const end = this.#pending.length - tail;
    if (end > 0) this.#pass(this.#pending.slice(0, end));
    this.#pending = this.#pending.slice(end);
  }
}

/** How many characters at the end of the text could be the begin of the mark. */
function partOfMark(text: string): number {
  for (let length = 'LAB-END'.length - 1; length > 0; length--) {
    if (text.endsWith('LAB-END'.slice(0, length))) return length;
  }
  return 0;
}
