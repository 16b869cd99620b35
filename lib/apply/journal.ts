import type { Host } from '../host/host.ts';
import type { HeldStep } from '../words/step.ts';
import {
  addLine,
  type Journal,
  type JournalEntry,
  type JournalHeader,
  type JournalLine,
  type Owner,
  parseJournal,
} from './journal-text.ts';

/** Room kept free behind the last line for what undo will write of each step, so that undo needs no space on a full /run. */
const UNDO_ROOM_BYTES = 256;

/** All that the state folder holds. */
export interface State {
  readonly journals: readonly Journal[];
  /** Journals that cannot be read: they block changes, because what they hold is not known. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** Files of a prepare that died before it changed anything. */
  readonly empty: readonly string[];
}

/** The journal file of a guest. */
export function journalPath(stateDir: string, guest: string): string {
  return `${stateDir}/${guest}.jsonl`;
}

/** Reads every journal in the state folder, but for one. */
export function readState(host: Host, stateDir: string, without: string | null = null): State {
  const journals: Journal[] = [];
  const unreadable: { path: string; why: string }[] = [];
  const empty: string[] = [];
  for (const name of host.list(stateDir)) {
    if (!name.endsWith('.jsonl')) continue;
    const path = `${stateDir}/${name}`;
    if (path === without) continue;
    try {
      const parsed = parseJournal(path, host.readBytes(path));
      if (parsed.is === 'journal') journals.push(parsed.journal);
      else if (parsed.is === 'empty') empty.push(path);
      else unreadable.push({ path, why: parsed.why });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === undefined) throw error;
      unreadable.push({ path, why: code === 'EACCES' ? 'only root may read it' : String(code) });
    }
  }
  return { journals, unreadable, empty };
}

/**
 * The same, for whoever has the lock: what remembers nothing that is in force is removed first, namely journals of an earlier
 * boot and files of a prepare that died before its first step.
 */
export function readCurrentState(host: Host, stateDir: string): State {
  const state = readState(host, stateDir);
  for (const path of state.empty) host.remove(path);
  const bootId = readBootId(host);
  const isOld = (journal: Journal) => journal.header.bootId !== bootId;
  for (const journal of state.journals.filter(isOld)) host.remove(journal.path);
  return {
    journals: state.journals.filter((journal) => !isOld(journal)),
    unreadable: state.unreadable,
    empty: [],
  };
}

/** The id of this boot (random(4)); journals of another one remember a machine that is gone. */
export function readBootId(host: Host): string {
  return host.readOptional('/proc/sys/kernel/random/boot_id') ?? 'unknown';
}

/** Starts a guest's journal; nothing has been changed before it is on disk. */
export function createJournal(host: Host, path: string, header: JournalHeader, owner: Owner): Journal {
  const lines = `${JSON.stringify(header)}\n${JSON.stringify({ t: 'owner', owner })}\n`;
  host.createFile(path, lines + '\n'.repeat(4 * UNDO_ROOM_BYTES), 0o600);
  const end = Buffer.byteLength(lines);
  return {
    path,
    header,
    owner,
    entries: [],
    writers: [],
    watcher: null,
    ready: false,
    readyAt: header.at,
    pending: null,
    end,
    torn: 0,
  };
}

/** Adds a line and has it on disk before it returns. */
export function appendLine(host: Host, journal: Journal, line: JournalLine): void {
  const text = `${JSON.stringify(line)}\n`;
  // Only a step's beginning may ask for space; all later lines fit into the room that it made
  const room = line.t === 'do' ? '\n'.repeat(UNDO_ROOM_BYTES * (journal.entries.length + 4)) : '';
  const bytes = Buffer.byteLength(text);
  const blank = '\n'.repeat(Math.max(0, journal.torn - bytes - room.length));
  host.overwrite(journal.path, journal.end, text + room + blank);
  journal.end += bytes;
  journal.torn = 0;
  addLine(journal, line);
}

/** The steps of a journal that are still in force. */
export function liveEntries(journal: Journal): JournalEntry[] {
  return journal.entries.filter((entry) => !entry.undone);
}

/** The live steps of journals, as claims that others must respect. */
export function heldSteps(journals: readonly Journal[]): HeldStep[] {
  return journals.flatMap((journal) =>
    liveEntries(journal).map(
      ({ index, at, step, was, got }) =>
        ({
          guest: journal.header.guest,
          index,
          at,
          step,
          was,
          ...(got !== undefined && { got }),
        }) as HeldStep,
    ),
  );
}
