/** Paints text where a person watches; NO_COLOR and pipes get it plain. */
export function paint(code, text) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** One line for the person who watches. */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** A failure that its sentence explains: no stack is shown for it. */
export class ExpectedError extends Error {}

/** Does a piece of work: says when it begins, and when it ended how long it took. Gives what the work gave. */
export async function step(begin, end, work) {
  say(paint(2, `${begin} …`));
  const started = performance.now();
  const result = await work();
  say(`${paint(32, '✓')} ${end} (${formatSeconds(performance.now() - started)})`);
  return result;
}

/** "0.4 s", "83 s", "12 min 5 s" */
export function formatSeconds(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Runs a script's main function: its result is the exit status, an expected error one line on stderr and status 1. */
export async function runMain(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof ExpectedError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  }
}
