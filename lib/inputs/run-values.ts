import { type CpuSet, parseCpuList } from '../words/cpu-list.ts';
import { parseArgvWords } from './argv-words.ts';
import { hiddenSignAt, type Parsed, quoted } from './parsed.ts';
import type { ProfileKey, ValueKind } from './profile-keys.ts';
import { parseProfileValue } from './profile-values.ts';
import type { PortForward, RunKey, RunValueKind, RunValueOfKind } from './run-key.ts';

/** Reads the text of one value as its key asks for it. A problem is the predicate of a sentence whose subject is the key. */
export function parseRunValue(key: RunKey, text: string): Parsed<RunValueOfKind[RunValueKind]> {
  const parser = (
    PARSERS as Readonly<Record<string, (text: string) => Parsed<RunValueOfKind[RunValueKind]>>>
  )[key.kind];
  return parser === undefined ? parseProfileValue(key as ProfileKey, text) : parser(text);
}

/** No text of a profile goes into one argument of QEMU that is longer. */
const LONGEST_TEXT = 4096;

const PARSERS: {
  readonly [K in Exclude<RunValueKind, ValueKind>]: (text: string) => Parsed<RunValueOfKind[K]>;
} = {
  text: (text) =>
    text === '' || text.length > LONGEST_TEXT || hiddenSignAt(text) >= 0
      ? must(text, `1 to ${LONGEST_TEXT} visible signs`)
      : { value: text },

  path: (text) => {
    if (!text.startsWith('/') || text.length > LONGEST_TEXT) return must(text, 'a whole path, from / on');
    if (hiddenSignAt(text) >= 0) return must(text, 'a path of visible signs');
    if (text.split('/').includes('..')) return must(text, 'a path without ..');
    return { value: text };
  },

  words: (text) => parseArgvWords(text),

  mac: (text) => {
    const mac = text.toLowerCase().replaceAll('-', ':');
    if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac))
      return must(text, 'six pairs of digits such as 52:54:00:12:34:56');
    if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1)
      return must(text, 'the address of one card: its first pair must be even');
    return { value: mac };
  },

  uuid: (text) =>
    /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)
      ? { value: text.toLowerCase() }
      : must(text, 'a UUID such as 4dea22b3-1d52-48f3-9516-782e98ab3fa0'),

  id: (text) => {
    const match = /^(?:0x)?([0-9a-f]{4})$/i.exec(text);
    return match === null ? must(text, 'four hexadecimal digits') : { value: match[1]!.toLowerCase() };
  },

  pins: (text) => {
    const pins = text.split(/\s+/).map(parseCpuList);
    return pins.every(isFilled)
      ? { value: pins }
      : must(text, 'a CPU list for each vCPU, with spaces between, such as 2 10 3 11');
  },

  'named-pins': (text) => {
    const pins: { name: string; cpus: CpuSet }[] = [];
    for (const word of text.split(/\s+/)) {
      const match = /^([a-z0-9][a-z0-9_-]{0,31}):(.+)$/.exec(word);
      const cpus = match === null ? null : parseCpuList(match[2]!);
      if (match === null || !isFilled(cpus)) return must(text, 'names with CPU lists, such as io1:1 io2:9');
      if (pins.some(({ name }) => name === match[1]))
        return must(text, `each name once: ${match[1]} is there twice`);
      pins.push({ name: match[1]!, cpus });
    }
    return { value: pins };
  },

  resolution: (text) => {
    const match = /^(\d{3,5})x(\d{3,5})$/.exec(text);
    const [width, height] = [Number(match?.[1]), Number(match?.[2])];
    return match !== null && width <= 16_384 && height <= 16_384
      ? { value: { width, height } }
      : must(text, 'a width and height such as 2560x1440, 16384 at most');
  },

  'usb-id': (text) => {
    const match = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(text);
    if (match === null) return must(text, 'vendor:product such as 046d:c52b');
    return { value: { vendorId: match[1]!.toLowerCase(), productId: match[2]!.toLowerCase() } };
  },

  'usb-port': (text) => {
    const match = /^(\d{1,3})-(\d{1,3}(?:\.\d{1,3}){0,6})$/.exec(text);
    return match === null
      ? must(text, 'a port as the kernel names it, such as 1-2.3')
      : { value: { bus: Number(match[1]), port: match[2]! } };
  },

  forwards: (text) => {
    const forwards: PortForward[] = [];
    for (const word of text.split(/\s+/)) {
      const match = /^(tcp|udp):(?:(\d{1,3}(?:\.\d{1,3}){3}):)?(\d{1,5}):(\d{1,5})$/.exec(word);
      const [hostPort, guestPort] = [Number(match?.[3]), Number(match?.[4])];
      const isRight =
        match !== null &&
        [hostPort, guestPort].every((port) => port >= 1 && port <= 65_535) &&
        isIp(match[2]);
      if (!isRight) return must(text, 'forwards such as tcp:2222:22 or udp:127.0.0.1:5000:5000');
      const protocol = match[1] as PortForward['protocol'];
      forwards.push({ protocol, address: match[2] ?? '127.0.0.1', hostPort, guestPort });
    }
    return { value: forwards };
  },
};

function isIp(text: string | undefined): boolean {
  return text === undefined || text.split('.').every((part) => Number(part) <= 255);
}

function isFilled(cpus: CpuSet | null): cpus is CpuSet {
  return cpus !== null && cpus.length > 0;
}

function must(text: string, what: string): { readonly problem: string } {
  return { problem: `is ${quoted(text)}, must be ${what}` };
}
