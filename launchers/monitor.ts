import { createInterface } from 'node:readline';
import { formatAnswer, parseMonitorLine } from '../lib/run/monitor-text.ts';
import type { QmpClient } from '../lib/run/qmp-client.ts';
import { HostError, UsageError } from '../lib/words/errors.ts';
import type { CommandLine } from './command-line.ts';
import type { Globals } from './globals.ts';
import { findLaunched, talkTo } from './launched.ts';

/** `passqemu monitor <guest> [command …]`: one command, or a prompt; standard input line by line where it is no terminal. */
export async function monitor(line: CommandLine, globals: Globals): Promise<number> {
  const record = findLaunched(line.words[0] ?? '', globals);
  const once = line.words.slice(1).join(' ');
  // Read before QEMU is asked: a wrong word needs no monitor
  const parsed = parseMonitorLine(once);
  if (parsed !== null && 'problem' in parsed)
    throw new UsageError(`${JSON.stringify(once)} ${parsed.problem}`, parsed.hint);
  const qmp = await talkTo(record, globals, 'monitor');
  try {
    return once === '' ? await talk(qmp, record.guest, globals) : await ask(qmp, once, globals);
  } finally {
    qmp.close();
  }
}

/** A prompt until the end of input, `exit`, or QEMU's end. */
async function talk(qmp: QmpClient, guest: string, { out, err }: Globals): Promise<number> {
  const isTerminal = process.stdin.isTTY === true;
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: isTerminal });
  const prompt = () => void (isTerminal && lines.prompt());
  let status = 0;
  lines.setPrompt(`${guest}> `);
  qmp.onEvent(({ name, data }) => {
    out(`${isTerminal ? '\r' : ''}event ${name} ${JSON.stringify(data)}`);
    prompt();
  });
  void qmp.ended.then(() => lines.close());
  if (isTerminal)
    out(
      'QMP (query-status, device_del id=usb1), or : and a line of the human monitor (:info block); exit leaves, the guest goes on',
    );
  prompt();
  for await (const text of lines) {
    if (text.trim() === 'exit') break;
    try {
      await answer(qmp, text, out);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      status = 1;
      err(error.message);
    }
    prompt();
  }
  return isTerminal ? 0 : status;
}

async function ask(qmp: QmpClient, text: string, { out }: Globals): Promise<number> {
  await answer(qmp, text, out);
  return 0;
}

async function answer(qmp: QmpClient, text: string, out: (line: string) => void): Promise<void> {
  const parsed = parseMonitorLine(text);
  if (parsed === null) return;
  if ('problem' in parsed)
    throw new HostError(
      `${JSON.stringify(text)} ${parsed.problem}${parsed.hint === undefined ? '' : `: ${parsed.hint}`}`,
    );
  out(formatAnswer(await qmp.execute(parsed.command, parsed.args)));
}
