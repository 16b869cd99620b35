import type { Host, ProcessIdentity } from '../lib/host/host.ts';
import { formatStatusLine, parseCpuTicks } from '../lib/run/status-line.ts';

const EACH_MS = 1_000;
/** USER_HZ of every kernel that we run on: what /proc counts in. */
const TICKS_PER_SECOND = 100;
/** Back to the line's begin, and nothing behind (ECMA-48: EL). */
const CLEAR = '\r\x1b[K';

/** The last line of the terminal while a guest runs. `above` writes what belongs above it; `end` takes it away. */
export interface StatusLine {
  above(write: () => void): void;
  end(): void;
}

/** Shows how a guest is, once a second, until it is told to end. */
export function showStatus(
  host: Host,
  guest: string,
  qemu: ProcessIdentity,
  terminal: Pick<NodeJS.WriteStream, 'write' | 'columns'>,
): StatusLine {
  const begun = host.now();
  const look = () => ({ at: host.now(), ticks: parseCpuTicks(host.readOptional(`/proc/${qemu.pid}/stat`)) });
  let before = look();
  let percent: number | null = null;
  const draw = () => {
    const line = formatStatusLine({ guest, runsMs: host.now() - begun, percent }, terminal.columns || 80);
    terminal.write(`${CLEAR}${line}`);
  };
  draw();
  const timer = setInterval(() => {
    const now = look();
    const seconds = (now.at - before.at) / 1000;
    percent =
      now.ticks === null || before.ticks === null || seconds <= 0
        ? null
        : ((now.ticks - before.ticks) / TICKS_PER_SECOND / seconds) * 100;
    before = now;
    draw();
  }, EACH_MS).unref();
  return {
    above(write) {
      terminal.write(CLEAR);
      write();
      draw();
    },
    end() {
      clearInterval(timer);
      terminal.write(CLEAR);
    },
  };
}
