/**
 * Where passqemu can be killed: system calls of its own (not of its children) while a step is open in the guest's journal,
 * read from a trace of strace -f -y. A moment is "the count-th such call on that path", which another run with the same plan
 * comes to as well; strace stops it there, before the kernel has seen the call.
 */

/** Calls that a moment may be; others come as often as the machine is slow (polling), or say nothing of a path. */
export const TRACED = ['openat', 'write', 'pwrite64'];

/**
 * The moments of one traced run: { kind, index, call, path, count }. `kinds` maps steps to kinds; a prepare fills it from its
 * own journal lines, a release reads it.
 */
export function readMoments(trace, journal, kinds) {
  const counts = new Map();
  const moments = [];
  let open = null;
  let own = null;
  for (const line of trace.split('\n')) {
    const match = /^(\d+) +(\w+)\((.*)$/.exec(line);
    if (match === null) continue;
    const [, pid, call, rest] = match;
    own ??= pid;
    if (pid !== own || !TRACED.includes(call)) continue;
    const path = pathOf(call, rest);
    if (path === null) continue;
    const key = `${call} ${path}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (open !== null && isSteady(path)) moments.push({ ...open, call, path, count });
    if (call === 'pwrite64' && path === journal) open = openAfter(rest, open, kinds);
  }
  return moments;
}

/** The step that a journal has open: what prepare began last, or what release undoes next; null where it is between two. */
export function openStep(lines, phase) {
  const kinds = new Map();
  const over = new Set();
  let last = null;
  for (const line of lines) {
    if (line.t === 'do') {
      kinds.set(line.i, line.step.kind);
      last = line.i;
    }
    if ((line.t === 'did' && phase === 'prepare') || line.t === 'ready') last = null;
    if (line.t === 'undone') over.add(line.i);
  }
  if (phase === 'prepare') return last === null ? null : kinds.get(last);
  const left = [...kinds.keys()].filter((index) => !over.has(index));
  return left.length === 0 ? null : kinds.get(Math.max(...left));
}

/** The text of a journal as its lines; one that is torn is left out. */
export function parseLines(text) {
  return text.split('\n').flatMap((line) => {
    try {
      return line.trim() === '' ? [] : [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

function pathOf(call, rest) {
  const match = call === 'openat' ? /^[^"]*"(\/[^"]*)"/.exec(rest) : /^\d+<(\/[^>]*)>/.exec(rest);
  return match?.[1] ?? null;
}

/** Other processes come and go, so what is looked up about them is another time elsewhere. */
function isSteady(path) {
  return !/^\/proc\/\d|\.new$|^\/proc\/self/.test(path);
}

/** What is open after this line of the journal: as strace shows it, with its quotes escaped, and cut. */
function openAfter(rest, open, kinds) {
  const begun = /\{\\"t\\":\\"do\\",\\"i\\":(\d+),.*?\\"kind\\":\\"(\w+)\\"/.exec(rest);
  if (begun !== null) {
    kinds.set(Number(begun[1]), begun[2]);
    return { index: Number(begun[1]), kind: begun[2] };
  }
  const index = Number(/\\"i\\":(\d+)/.exec(rest)?.[1]);
  if (/\\"t\\":\\"undoing\\"/.test(rest)) return { index, kind: kinds.get(index) };
  if (/\\"t\\":\\"(undone|pending)\\"/.test(rest)) {
    const next = Number.isNaN(index) ? Math.max(...kinds.keys()) : index - 1;
    return kinds.has(next) ? { index: next, kind: kinds.get(next) } : null;
  }
  return /\\"t\\":\\"(did|ready)\\"/.test(rest) ? null : open;
}
