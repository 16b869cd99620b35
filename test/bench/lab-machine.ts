import path from 'node:path';
import { ensureTools, runTools } from '../lab/build/tools.ts';
import { ensureImage } from '../lab/image.ts';
import { parseOptions } from '../lab/options.ts';
import { runMachine } from '../lab/run.ts';

/** What measure.sh has told: times in microseconds by part and side, and the lines of strace by call. */
export interface LabOutput {
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly traces: ReadonlyMap<string, string>;
}

const SCRIPT = path.join(import.meta.dirname, 'lab', 'measure.sh');

/** Boots a lab machine and runs parts of measure.sh in it. */
export async function runLabMachine(
  labOptions: readonly string[],
  rounds: number,
  parts: readonly string[],
): Promise<LabOutput> {
  const options = parseOptions([...labOptions, '--quiet', SCRIPT, String(rounds), ...parts]);
  if (options === null) throw new Error('no options');
  const complain = (line: string) => void process.stderr.write(`  ${line}\n`);
  await ensureTools(runTools, complain);
  const image = await ensureImage(options.suite, complain);
  let output = '';
  const take = (text: string) => {
    output += text;
  };
  const status = await runMachine(options, image, { output: take, say: complain });
  if (status !== 0) throw new Error(`measure.sh ended with ${status}\n${output.slice(-2000)}`);
  return parseLabOutput(output);
}

/** Reads the lines "bench PART SIDE MICROSECONDS" and "trace CALL LINE". */
export function parseLabOutput(output: string): LabOutput {
  const times = new Map<string, number[]>();
  const traces = new Map<string, string>();
  for (const line of output.split(/\r?\n/)) {
    const time = /^bench (\S+ \S+) (\d+)$/.exec(line);
    if (time !== null) times.set(time[1]!, [...(times.get(time[1]!) ?? []), Number(time[2])]);
    const trace = /^trace (\S+) (.*)$/.exec(line);
    if (trace !== null) traces.set(trace[1]!, `${traces.get(trace[1]!) ?? ''}${trace[2]}\n`);
  }
  return { times, traces };
}
