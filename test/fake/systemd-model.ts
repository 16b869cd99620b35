import { allowedCpusDropIn } from '../../lib/host/systemd.ts';
import { formatCpuList } from '../../lib/words/cpu-list.ts';
import { changeCgroup } from './cgroup-model.ts';
import { listOf } from './cpu-model.ts';
import type { FakeHost } from './fake-host.ts';

const HEAD =
  '# This is a drop-in unit file extension, created via "systemctl set-property"\n# or an equivalent operation. Do not edit.\n';
const settings = new WeakMap<FakeHost['tree'], Map<string, string>>();

/**
 * Puts a running systemd; addCgroups() comes first. `systemctl set-property --runtime -- UNIT AllowedCPUs=LIST` writes the drop-in
 * and the cgroup; when no unit has the property any more, the cpuset controller goes away (252 and 257 do so).
 */
export function addSystemd(host: FakeHost): void {
  settings.set(host.tree, new Map());
  host.putFolder('/run/systemd/system');
  host.onRun('systemctl', (argv) => setProperty(host, argv));
  host.onExchange('/run/systemd/private', takeBusConnection);
}

/** An admin's call of the same program. */
export function setByAdmin(host: FakeHost, unit: string, cpus: string): void {
  setProperty(host, ['systemctl', 'set-property', '--runtime', '--', unit, `AllowedCPUs=${cpus}`]);
}

/** systemd's own view of a unit: systemctl show -p AllowedCPUs. */
export function allowedCpus(host: FakeHost, unit: string): string {
  return settings.get(host.tree)?.get(unit) ?? '';
}

function setProperty(host: FakeHost, argv: readonly string[]): { status: number; stderr?: string } {
  const [, command, runtime, dashes, unit = '', assignment = ''] = argv;
  const list = /^AllowedCPUs=([\d,-]*)$/.exec(assignment)?.[1];
  if (command !== 'set-property' || runtime !== '--runtime' || dashes !== '--' || list === undefined) {
    return { status: 1, stderr: `Failed to set unit properties: Invalid argument\n` };
  }
  const map = settings.get(host.tree)!;
  const cpus = formatCpuList(listOf(list));
  if (cpus === '') map.delete(unit);
  else map.set(unit, cpus);
  const section = unit.endsWith('.scope') ? 'Scope' : 'Slice';
  host.put(allowedCpusDropIn(unit), dropInText(section, cpus.replaceAll(',', ' ')));
  changeCgroup(host, unit, cpus, map.size > 0);
  return { status: 0 };
}

/** systemd's socket: a greeting, which nothing else may come with, then one call. */
function takeBusConnection(host: FakeHost): (said: Buffer) => Buffer {
  let isIn = false;
  return (said) => {
    if (isIn) return answerBus(said, host);
    const greeting = '\0AUTH EXTERNAL 30\r\nBEGIN\r\n';
    const text = said.toString('latin1');
    if (!text.startsWith(greeting)) return Buffer.from('REJECTED\r\n');
    isIn = true;
    // A call that is read together with the greeting lies in its buffer
    return Buffer.from('OK 0123456789abcdef0123456789abcdef\r\n');
  };
}

/** Takes a call apart by the D-Bus specification, and answers it after a signal that is for everybody. */
function answerBus(message: Buffer, host: FakeHost): Buffer {
  const text = message.toString('latin1');
  const body = message.subarray(message.length - message.readUInt32LE(4));
  const signal = busMessage(4, 0, '');
  if (text.includes('Ping\0')) return Buffer.concat([signal, busMessage(2, 1, '')]);
  const unitLength = body.readUInt32LE(0);
  const unit = body.toString('utf8', 4, 4 + unitLength);
  const runtimeAt = Math.ceil((5 + unitLength) / 4) * 4;
  const isCall = text.includes('SetUnitProperties\0') && text.includes('sba(sv)\0');
  const firstAt = Math.ceil((runtimeAt + 8) / 8) * 8;
  const nameAt = firstAt + 4;
  const name = body.toString('utf8', nameAt, nameAt + body.readUInt32LE(firstAt));
  const variantAt = nameAt + name.length + 1;
  const maskAt = Math.ceil((variantAt + 4) / 4) * 4;
  const mask = body.subarray(maskAt + 4, maskAt + 4 + body.readUInt32LE(maskAt));
  const isRight =
    isCall &&
    body.readUInt32LE(runtimeAt) === 1 &&
    body.readUInt32LE(runtimeAt + 4) === body.length - firstAt &&
    name === 'AllowedCPUs' &&
    body.toString('latin1', variantAt, variantAt + 4) === '\x02ay\0' &&
    maskAt + 4 + mask.length === body.length;
  if (!isRight) return busMessage(3, 1, 'Invalid argument');
  const cpus = [...mask].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => at * 8 + bit),
  );
  const set = ['systemctl', 'set-property', '--runtime', '--', unit, `AllowedCPUs=${formatCpuList(cpus)}`];
  const { status, stderr = '' } = setProperty(host, set);
  return Buffer.concat([signal, status === 0 ? busMessage(2, 1, '') : busMessage(3, 1, stderr)]);
}

/** A message without a sender: 2 a return, 3 an error, 4 a signal; its body is one text or nothing. */
export function busMessage(type: 2 | 3 | 4, replySerial: number, text: string): Buffer {
  const body = text === '' ? Buffer.alloc(0) : Buffer.alloc(5 + text.length);
  if (text !== '') {
    body.writeUInt32LE(text.length);
    body.write(text, 4);
  }
  const fields: number[] = [5, 1, 117, 0, replySerial, 0, 0, 0];
  if (text !== '') fields.push(8, 1, 103, 0, 1, 115, 0);
  const header = Buffer.from([
    108,
    type,
    0,
    1,
    ...u32(body.length),
    ...u32(7),
    ...u32(fields.length),
    ...fields,
  ]);
  const padding = Buffer.alloc((8 - (header.length % 8)) % 8);
  return Buffer.concat([header, padding, body]);
}

function u32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

/** A drop-in as systemd writes it. */
export function dropInText(section: string, cpus: string): string {
  return `${HEAD}[${section}]\nAllowedCPUs=\nAllowedCPUs=${cpus}\n`;
}
