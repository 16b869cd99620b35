import { visible } from '../inputs/parsed.ts';
import { HostError } from '../words/errors.ts';
import type { Seen } from '../words/seen.ts';
import type { Host } from './host.ts';

const RECORDS = '/dev/kmsg';
/** What some distributions keep of the boot, readable for their administrators. */
const BOOT_LOG = '/var/log/dmesg';
const LARGEST_LOG = 64 << 20;

/** The kernel's messages since boot, the oldest first, without their times. See Documentation/ABI/testing/dev-kmsg. */
export function readKernelLog(host: Host): Seen<readonly string[]> {
  let why = '';
  for (const path of [RECORDS, BOOT_LOG]) {
    try {
      return { value: parseKernelLog(host.readBytes(path, LARGEST_LOG).toString('utf8')) };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (why === '') why = `the kernel’s log ${path} cannot be read (${error.code ?? 'no reason given'})`;
    }
  }
  return { unseen: why };
}

/** Reads records ("6,339,5140900,-;text", properties on lines of their own that begin with a blank) and lines as dmesg(1) prints them. */
export function parseKernelLog(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '))
    .map((line) => {
      const record = /^\d+,\d+,\d+,[^;]*;(.*)$/.exec(line);
      return visible(record?.[1] ?? line.replace(/^(?:<\d+>)?\[\s*[\d.]+\]\s/, ''));
    });
}
