import { formatCpuList } from '../words/cpu-list.ts';
import { formatArgvWords } from './argv-words.ts';
import { visible } from './parsed.ts';
import { type ProfileKey, profileKey } from './profile-keys.ts';
import { formatMs } from './profile-values.ts';
import { formatProfileValue } from './profile-writer.ts';
import type { RunKey, RunValueKind, RunValueOfKind } from './run-key.ts';
import { runKey } from './run-keys.ts';
import { runSection } from './run-sections.ts';

/** One section to be written: "disk system", its values by key (null: not said), and lines for whoever opens the file. */
export interface WrittenSection {
  readonly section: string;
  readonly values: Readonly<Record<string, RunValueOfKind[RunValueKind] | null>>;
  readonly comments?: readonly string[];
}

/**
 * Writes a profile of any sections, in their order; values are of the kinds that the tables of keys say, those of [devices] text,
 * those of [arguments] words. What is null or the default is left out. parseRunProfile reads the same back.
 */
export function formatProfile(sections: readonly WrittenSection[], comments: readonly string[] = []): string {
  const blocks = sections.map(({ section, values, comments: about = [] }) => [
    ...about.map(comment),
    `[${section}]`,
    ...Object.entries(values).flatMap(([key, value]) => {
      if (value === null) return [];
      const text = formatEntry(section, key, value);
      return text === null ? [] : [`${key} = ${text}`];
    }),
  ]);
  const head = comments.map(comment);
  return `${[...(head.length === 0 ? [] : [head]), ...blocks].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** One value as the text behind "key =", or null where it is the default. */
function formatEntry(section: string, key: string, value: RunValueOfKind[RunValueKind]): string | null {
  if (section === 'arguments') return formatArgvWords(value as readonly string[]);
  if (section === 'devices') return formatProfileValue(value as string);
  const known = profileKey(section, key) ?? runKey(runSection(section)?.kind ?? section, key);
  if (known === null) throw new TypeError(`There is no key ${section}.${key}`);
  const text = formatValueOf(known, value);
  if (text === known.default) return null;
  return known.kind === 'command' ? text : formatProfileValue(text);
}

/** A value of a key as the text that is read back as it, before any quotes of the file. */
export function formatValueOf(key: RunKey | ProfileKey, value: RunValueOfKind[RunValueKind]): string {
  const format = FORMATS[key.kind] as (value: RunValueOfKind[RunValueKind]) => string;
  return format(value);
}

const FORMATS: { readonly [K in RunValueKind]: (value: RunValueOfKind[K]) => string } = {
  'yes-no': (value) => (value ? 'yes' : 'no'),
  choice: String,
  duration: formatMs,
  size: formatSize,
  'page-size': (kib) => (kib === 0 ? 'off' : formatSize(kib)),
  'node-sizes': (nodes) => nodes.map(({ node, sizeKib }) => `${node}:${formatSize(sizeKib)}`).join(' '),
  cpus: formatCpuList,
  name: String,
  names: (names) => names.join(' '),
  integer: String,
  command: formatArgvWords,
  text: String,
  path: String,
  words: formatArgvWords,
  mac: String,
  uuid: String,
  id: String,
  pins: (pins) => pins.map(formatCpuList).join(' '),
  'named-pins': (pins) => pins.map(({ name, cpus }) => `${name}:${formatCpuList(cpus)}`).join(' '),
  resolution: ({ width, height }) => `${width}x${height}`,
  'usb-id': ({ vendorId, productId }) => `${vendorId}:${productId}`,
  'usb-port': ({ bus, port }) => `${bus}-${port}`,
  forwards: (forwards) =>
    forwards
      .map(({ protocol, address, hostPort, guestPort }) => `${protocol}:${address}:${hostPort}:${guestPort}`)
      .join(' '),
};

/** KiB as a size of the profile: "16G", "512M", "64K". */
function formatSize(kib: number): string {
  if (kib !== 0 && kib % 1_048_576 === 0) return `${kib / 1_048_576}G`;
  return kib !== 0 && kib % 1024 === 0 ? `${kib / 1024}M` : `${kib}K`;
}

/** Text of a device or a guest cannot end the line and become a key. */
function comment(text: string): string {
  return `# ${visible(text)}`.trimEnd();
}
