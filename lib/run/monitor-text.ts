import { type TextProblem, visible } from '../inputs/parsed.ts';
import { asObject } from './qmp-text.ts';

/** What a person types at the monitor: a command of QMP's as JSON or as name=value words, or a line of the human monitor. */
export interface MonitorCommand {
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Reads a line: `{"execute": …}` is QMP, `query-status` or `device_del id=usb1` too (a name of QMP's, then name=value words),
 * everything behind `:` goes to the human monitor (human-monitor-command).
 */
export function parseMonitorLine(line: string): MonitorCommand | TextProblem | null {
  const text = line.trim();
  if (text === '') return null;
  if (text.startsWith(':'))
    return { command: 'human-monitor-command', args: { 'command-line': text.slice(1).trim() } };
  if (text.startsWith('{')) return parseJsonCommand(text);
  const [command = '', ...words] = text.split(/\s+/);
  if (!/^[a-zA-Z_][\w-]*$/.test(command))
    return {
      problem: 'is no command',
      hint: 'query-status, device_del id=usb1, {"execute": …}, or :info block',
    };
  const args: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1)
      return {
        problem: `has ${JSON.stringify(word)}, which is no name=value`,
        hint: ': in front makes it a line of the human monitor',
      };
    args[word.slice(0, at)] = parseValue(word.slice(at + 1));
  }
  return { command, args: { ...args } };
}

/** What QEMU answers, for a person: text of the human monitor as it is, everything else as JSON, "OK" for nothing. */
export function formatAnswer(value: unknown): string {
  if (typeof value === 'string') return value.split(/\r?\n/).map(visible).join('\n').trimEnd();
  const fields = asObject(value);
  return fields !== null && Object.keys(fields).length === 0 ? 'OK' : JSON.stringify(value, null, 2);
}

function parseJsonCommand(text: string): MonitorCommand | TextProblem {
  let fields: Readonly<Record<string, unknown>> | null;
  try {
    fields = asObject(JSON.parse(text));
  } catch {
    fields = null;
  }
  const command = fields?.execute;
  const args = fields?.arguments === undefined ? {} : asObject(fields.arguments);
  if (typeof command !== 'string' || args === null)
    return { problem: 'is no QMP command', hint: '{"execute": "query-status", "arguments": {}}' };
  return { command, args };
}

/** true, false and numbers are what they look like, everything else is text. */
function parseValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
