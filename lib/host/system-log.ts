import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Host } from './host.ts';
import { SYSTEM_PATH } from './system-path.ts';

type Priority = Parameters<Host['log']>[0];

/** systemd-journald's stream socket: a header of seven lines, then text (systemd.exec(5), StandardOutput=journal). */
const JOURNAL_SOCKET = '/run/systemd/journal/stdout';
const HEADER = 'passqemu\n\n6\n1\n0\n0\n0\n';
const LEVELS: Readonly<Record<Priority, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };
const FLUSH_MS = 500;

/**
 * The whole story of a call, for `journalctl -t passqemu`. It goes to the journal's socket as it happens; on a host with
 * only a syslog daemon it is handed to logger(1) once, at the end (Node cannot speak to a datagram socket).
 */
export class SystemLog {
  readonly #journal: string;
  #socket: Socket | null = null;
  readonly #lines: string[] = [];

  constructor(journal = JOURNAL_SOCKET) {
    this.#journal = journal;
  }

  add(priority: Priority, line: string): void {
    const text = `<${LEVELS[priority]}>${line.replaceAll('\n', ' ⏎ ')}\n`;
    this.#lines.push(text);
    if (this.#socket === null && existsSync(this.#journal)) {
      // journald closes its own direction at once; without this, Node would then close ours
      this.#socket = connect({ path: this.#journal, allowHalfOpen: true });
      this.#socket.on('error', () => {});
      this.#socket.unref();
      this.#socket.write(HEADER);
    }
    this.#socket?.write(text);
  }

  /** Waits until all is handed over, but not for long. */
  async flush(): Promise<void> {
    const socket = this.#socket;
    if (socket !== null) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FLUSH_MS);
        socket.once('error', () => resolve());
        socket.end(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    } else if (this.#lines.length > 0 && existsSync('/dev/log')) {
      spawnSync('logger', ['--tag', 'passqemu', '--prio-prefix'], {
        input: this.#lines.join(''),
        env: { PATH: SYSTEM_PATH },
        timeout: FLUSH_MS,
      });
    }
  }
}
