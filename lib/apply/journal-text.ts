import type { ProcessIdentity } from '../host/host.ts';
import type { KindName, Memory, Outcome, Step } from '../words/step.ts';

/** The form of journal that we write; a reader refuses a higher number. */
export const JOURNAL_FORM = 1;

/**
 * Who holds what a journal lists: libvirt (its QEMU, and until that is there the daemon that called us), a launcher's process, or a person
 * who will say `release`.
 */
export type Owner =
  | { readonly kind: 'libvirt'; readonly daemon?: ProcessIdentity }
  | { readonly kind: 'person' }
  | ({ readonly kind: 'launcher' } & ProcessIdentity);

/** The first line. */
export interface JournalHeader {
  readonly passqemu: typeof JOURNAL_FORM;
  readonly version: string;
  readonly guest: string;
  readonly uuid: string | null;
  readonly bootId: string;
  readonly at: number;
  /** Profile and domain as one text, by which a later start knows that a prepared guest is what it wants. */
  readonly inputs: string;
}

/** Every further line. `do` is on disk before its step begins, `undone` after its undo succeeded. */
export type JournalLine =
  /** `at`: when that became so; older journals do not say. */
  | { readonly t: 'owner'; readonly owner: Owner; readonly at?: number }
  | { readonly t: 'writer' | 'watcher'; readonly pid: number; readonly startTicks: number }
  | {
      readonly t: 'do';
      readonly i: number;
      readonly at: number;
      readonly step: Step;
      readonly was: Memory<KindName>;
    }
  | { readonly t: 'did'; readonly i: number; readonly got: Outcome<KindName> }
  | { readonly t: 'undoing'; readonly i: number; readonly mark: Memory<KindName> }
  | { readonly t: 'undone'; readonly i: number }
  | { readonly t: 'wedged'; readonly i: number; readonly writer: ProcessIdentity; readonly seen: string }
  | { readonly t: 'ready'; readonly at?: number }
  | { readonly t: 'pending'; readonly why: string };

/** One step as a journal remembers it. */
export interface JournalEntry {
  readonly index: number;
  readonly at: number;
  readonly step: Step;
  readonly was: Memory<KindName>;
  got?: Outcome<KindName>;
  /** Set while an undo has begun and neither ended nor been settled. */
  undoing?: Memory<KindName>;
  /** A write that the kernel had not answered when our patience ended, and what the kernel showed of it. */
  wedged?: { readonly writer: ProcessIdentity; readonly seen: string };
  undone: boolean;
}

/** A journal as read. `end` is where the next line goes, in bytes. */
export interface Journal {
  readonly path: string;
  readonly header: JournalHeader;
  owner: Owner;
  entries: JournalEntry[];
  writers: ProcessIdentity[];
  /** Who stays with the running guest and places its interrupts. */
  watcher: ProcessIdentity | null;
  ready: boolean;
  /** When it was made ready for its owner, in ms; before that, when it was begun. */
  readyAt: number;
  pending: string | null;
  end: number;
  /** Bytes of a torn line behind `end`, to be blanked by the next line. */
  torn: number;
}

/** What stands in a journal file: a journal, nothing that ever began ("empty"), or text that we cannot act on. */
export type ParsedJournal =
  | { readonly is: 'journal'; readonly journal: Journal }
  | { readonly is: 'empty' }
  | { readonly is: 'unreadable'; readonly why: string };

const KINDS: ReadonlySet<string> = new Set<KindName>([
  'inhibit',
  'module',
  'hugepages',
  'driver',
  'slice',
  'affinities',
  'partition',
  'irqs',
  'node',
  'workqueues',
  'governor',
  'setting',
  'command',
  'unit',
  'session',
  'process',
  'console',
  'framebuffer',
  'unload',
  'watchdog',
]);

/**
 * Reads a journal. The file is padded with line breaks, so its last line with text may be torn: that step never began.
 * A torn line anywhere else, an unknown kind of line or step, or a newer form is "unreadable".
 */
export function parseJournal(path: string, bytes: Buffer): ParsedJournal {
  const lines = splitLines(bytes);
  const first = lines[0];
  if (first === undefined) return { is: 'empty' };
  const header = parseObject(first.text) as JournalHeader | null;
  // The header is whole before anything is changed, so a torn one means that nothing was
  if (header === null)
    return lines.length === 1 ? { is: 'empty' } : { is: 'unreadable', why: 'its first line is damaged' };
  if (header.passqemu !== JOURNAL_FORM) {
    return {
      is: 'unreadable',
      why: `it has form ${String(header.passqemu)}, this passqemu reads ${JOURNAL_FORM}`,
    };
  }
  if (typeof header.guest !== 'string' || typeof header.bootId !== 'string') {
    return { is: 'unreadable', why: 'its first line lacks the guest or the boot' };
  }
  const journal: Journal = {
    path,
    header,
    owner: { kind: 'person' },
    entries: [],
    writers: [],
    watcher: null,
    ready: false,
    readyAt: header.at,
    pending: null,
    end: first.end,
    torn: 0,
  };
  for (const [at, line] of lines.slice(1).entries()) {
    const value = parseObject(line.text) as JournalLine | null;
    if (value === null) {
      if (at === lines.length - 2) {
        journal.torn = line.end - journal.end;
        break;
      }
      return { is: 'unreadable', why: `line ${at + 2} is damaged` };
    }
    const problem = addLine(journal, value);
    if (problem !== null) return { is: 'unreadable', why: `line ${at + 2}: ${problem}` };
    journal.end = line.end;
  }
  return { is: 'journal', journal };
}

/** Takes one line into the journal's picture; gives what is wrong with it, or null. */
export function addLine(journal: Journal, line: JournalLine): string | null {
  if (line.t === 'do') {
    if (line.i !== journal.entries.length) return `step ${line.i} where ${journal.entries.length} was due`;
    if (!KINDS.has(line.step?.kind)) return `unknown kind of step "${line.step?.kind}"`;
    journal.entries.push({ index: line.i, at: line.at, step: line.step, was: line.was, undone: false });
    return null;
  }
  if (line.t === 'did' || line.t === 'undoing' || line.t === 'undone') {
    const entry = journal.entries[line.i];
    if (entry === undefined) return `no step ${line.i}`;
    if (line.t === 'undoing') entry.undoing = line.mark;
    else delete entry.undoing;
    if (line.t === 'did') entry.got = line.got;
    if (line.t === 'undone') entry.undone = true;
    return null;
  }
  if (line.t === 'wedged') {
    const entry = journal.entries[line.i];
    if (entry === undefined) return `no step ${line.i}`;
    entry.wedged = { writer: line.writer, seen: line.seen };
    return null;
  }
  if (line.t === 'owner' || line.t === 'ready') journal.readyAt = line.at ?? journal.readyAt;
  if (line.t === 'owner') journal.owner = line.owner;
  else if (line.t === 'writer') journal.writers.push({ pid: line.pid, startTicks: line.startTicks });
  else if (line.t === 'watcher') journal.watcher = { pid: line.pid, startTicks: line.startTicks };
  else if (line.t === 'ready') journal.ready = true;
  else if (line.t === 'pending') journal.pending = line.why;
  else return `unknown line "${String((line as { t?: unknown }).t)}"`;
  return null;
}

/** Non-empty lines with the byte offset just behind each one's line break. */
function splitLines(bytes: Buffer): { text: string; end: number }[] {
  const lines: { text: string; end: number }[] = [];
  for (let start = 0; start < bytes.length; ) {
    if (bytes[start] === 0x0a) {
      // Most of a journal is room for what undo will write
      start++;
      continue;
    }
    const at = bytes.indexOf(0x0a, start);
    const stop = at < 0 ? bytes.length : at;
    const text = bytes.toString('utf8', start, stop).trim();
    if (text !== '') lines.push({ text, end: stop + 1 });
    start = stop + 1;
  }
  return lines;
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
