import type { CpuSet } from '../words/cpu-list.ts';
import { HostError } from '../words/errors.ts';
import { type BusAnswer, findBusMessages, parseBusAnswer } from './bus-answer.ts';
import { BUS_GREETING, BusWriter, formatBusCall } from './bus-call.ts';
import type { Host } from './host.ts';

/** Where systemctl of root talks to systemd too: no message bus need run for it, as at boot and at shutdown. */
export const SYSTEMD_SOCKET = '/run/systemd/private';

const MANAGER = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' };
const NAMES_SOMETHING = /^[\w.@:\\-]{1,255}$/;

/**
 * Sets AllowedCPUs of a unit until the next boot, and says what systemd answered; no CPUs means that it is unset. That is
 * SetUnitProperties of org.freedesktop.systemd1(5), what `systemctl set-property --runtime` calls, without starting it. A HostError
 * where systemd cannot be reached in this way (code ETIMEDOUT where it has not answered).
 */
export async function setUnitCpus(
  host: Host,
  unit: string,
  cpus: CpuSet,
  timeoutMs: number,
): Promise<BusAnswer> {
  if (!NAMES_SOMETHING.test(unit)) throw new HostError(`Cannot set AllowedCPUs: ${unit} names no unit`);
  const body = new BusWriter();
  body.text(unit);
  body.uint32(1);
  body.array(8, () => {
    body.align(8);
    body.text('AllowedCPUs');
    body.signature('ay');
    body.array(1, () => {
      for (const byte of bytesOf(cpus)) body.byte(byte);
    });
  });
  const request = formatBusCall({
    ...MANAGER,
    interface: 'org.freedesktop.systemd1.Manager',
    member: 'SetUnitProperties',
    signature: 'sba(sv)',
    body: body.bytes(),
  });
  return ask(host, request, timeoutMs);
}

/**
 * Waits until systemd has done what a killed process of ours may have asked for: it serves its connections in the order in which
 * they have something for it, so when it answers a new one, the older are done.
 */
export async function awaitEarlierCalls(host: Host, timeoutMs: number): Promise<void> {
  const request = formatBusCall({
    ...MANAGER,
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
    signature: '',
    body: new Uint8Array(0),
  });
  await ask(host, request, timeoutMs);
}

async function ask(host: Host, request: Buffer, timeoutMs: number): Promise<BusAnswer> {
  const sayings = [
    { bytes: BUS_GREETING, isAnswered: (heard: Buffer) => findBusMessages(heard) !== null },
    { bytes: request, isAnswered: (heard: Buffer) => parseBusAnswer(heard) !== null },
  ];
  return parseBusAnswer(await host.exchange(SYSTEMD_SOCKET, sayings, timeoutMs))!;
}

/** A set as bits, the lowest CPU in the lowest bit of the first byte. */
function bytesOf(cpus: CpuSet): readonly number[] {
  const bytes = new Array<number>(Math.floor(Math.max(-8, ...cpus) / 8) + 1).fill(0);
  for (const cpu of cpus) bytes[cpu >> 3]! |= 1 << (cpu & 7);
  return bytes;
}
