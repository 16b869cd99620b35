/** The processes that a call has started, as strace(1) has seen them. */
export interface Processes {
  /** How many: forks, threads not counted. */
  readonly forks: number;
  /** Every successful execve(2) in order: the program's name, for a shell or node also what it runs. */
  readonly programs: readonly string[];
}

/**
 * Reads the output of `strace -f -e trace=execve,clone,clone3,fork,vfork`. A fork is a clone that gave a child and did not ask
 * for a thread; where another process's line came in between, strace ends the call in a line of its own ("<... resumed").
 */
export function parseStrace(text: string): Processes {
  const programs: string[] = [];
  let forks = 0;
  const unfinished = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(pid, rest.slice(0, -'<unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const call = resumed === null ? rest : (unfinished.get(pid) ?? '') + resumed[1];
    if (resumed !== null) unfinished.delete(pid);
    const result = Number(/= (-?\d+)/.exec(call.slice(call.lastIndexOf(') ') + 1))?.[1] ?? -1);
    if (/^(?:clone3?|v?fork)\(/.test(call) && result > 0 && !call.includes('CLONE_THREAD')) forks++;
    const program = /^execve\("([^"]*)", \[((?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?(?:, )?)*)/.exec(call);
    if (program !== null && result === 0) programs.push(nameProgram(program[1]!, program[2]!));
  }
  return { forks, programs };
}

/** "flock --nonblock 3": an argument that is a whole script stands for itself as "…". */
function nameProgram(file: string, argv: string): string {
  const [, ...words] = [...argv.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!);
  const shown = words.map((word) => (word.length > 40 || word.includes('\\n') ? '…' : word));
  return [file.slice(file.lastIndexOf('/') + 1), ...shown].join(' ');
}
