import type { Host } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { Step } from '../words/step.ts';
import type { Report } from './report.ts';

/** Enough for many rounds of one hand-over; a story that never ends must not fill the disk. */
const LARGEST_BYTES = 256 * 1024;
/** Steps after which the screen may be dark. */
const DARK: readonly Step['kind'][] = ['session', 'unit', 'process', 'console', 'framebuffer', 'unload'];

/** Where the story of a guest's last hand-over is kept: it outlives the boot, unlike journals. A state folder of one's own has its own. */
export function storyPath(stateDir: string, guest: string): string {
  return stateDir === '/run/passqemu'
    ? `/var/lib/passqemu/${guest}.handover`
    : `${stateDir}/${guest}.handover`;
}

/**
 * A report that also writes each line to a file, on disk before the next step begins: whoever sits before a dark screen reads it
 * over SSH, or after a reboot. Only where the steps take a display away; a prepare begins it anew. A story that cannot be written
 * fails nothing.
 */
export function withStory(
  host: Host,
  about: { readonly stateDir: string; readonly guest: string; readonly operation: 'prepare' | 'release' },
  steps: readonly Step[],
  report: Report,
): Report {
  if (!steps.some(({ kind }) => DARK.includes(kind))) return report;
  const path = storyPath(about.stateDir, about.guest);
  let end = begin(host, path, about.operation);
  const tell = (line: string): void => {
    if (end === null || end > LARGEST_BYTES) return;
    const text = `${new Date(host.now()).toISOString()} ${about.operation}: ${line.replaceAll('\n', ' ')}\n`;
    try {
      host.overwrite(path, end, text);
      end += Buffer.byteLength(text);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      end = null;
    }
  };
  tell(`${about.guest} begins, ${steps.length} steps`);
  return {
    step(what, words, tookMs) {
      tell(`${what}: ${words} (${tookMs} ms)`);
      report.step(what, words, tookMs);
    },
    note(line) {
      tell(line);
      report.note(line);
    },
  };
}

/** Where the next line goes, in bytes; null where there can be no story. */
function begin(host: Host, path: string, operation: 'prepare' | 'release'): number | null {
  try {
    const old = operation === 'release' ? (host.stat(path)?.sizeBytes ?? null) : null;
    if (old !== null) return old;
    host.makeFolder(path.slice(0, path.lastIndexOf('/')), 0o755);
    host.replaceFile(path, '', 0o600);
    return 0;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return null;
  }
}
