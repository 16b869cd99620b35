import fc from 'fast-check';
import { DropList } from '../../../lib/convert/dropped.ts';
import { finishImport } from '../../../lib/convert/imported.ts';
import { ProfileDraft } from '../../../lib/convert/profile-draft.ts';
import { formatArgvWords } from '../../../lib/inputs/argv-words.ts';
import type { ProfileKey } from '../../../lib/inputs/profile-keys.ts';
import { PROFILE_KEYS } from '../../../lib/inputs/profile-keys.ts';
import type { RunKey, RunValueKind } from '../../../lib/inputs/run-key.ts';
import { RUN_KEYS } from '../../../lib/inputs/run-keys.ts';
import { RUN_SECTIONS } from '../../../lib/inputs/run-sections.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';

/** A valid profile of any keys, and where its [devices] are. */
export interface AnyProfile {
  readonly text: string;
  readonly functions: ReadonlyMap<string, PciAddress>;
}

const number = (least: number, most: number) => fc.integer({ min: least, max: most });
const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
const cpus = number(0, 7).map((first) => (first % 2 === 0 ? `${first}` : `${first}-${first + 2}`));
const words = fc.string({ unit: fc.constantFrom(...'abz09'), minLength: 1, maxLength: 8 });
const text = fc
  .string({ unit: fc.constantFrom(...'ab Z9<>&"\',;=#$`\\(){}ü漢-._/'), minLength: 1, maxLength: 20 })
  .map((one) => `x${one}`.trim());
const path = text.map((one) => `/srv/${one.replaceAll('/', '')}`);
const id = fc.nat(0xffff).map((value) => hex(value, 4));

/** Texts that each kind of value may have; choices, sizes and numbers have their own limits. */
const TEXTS: Readonly<Partial<Record<RunValueKind, fc.Arbitrary<string>>>> = {
  'yes-no': fc.constantFrom('yes', 'no'),
  duration: number(2, 50).map((seconds) => `${seconds}s`),
  'page-size': fc.constantFrom('2M', '1G', 'off'),
  'node-sizes': fc.constantFrom('0:8G', '0:4G 1:4G'),
  cpus,
  name: words.map((one) => `a${one}`),
  text,
  path,
  words: fc.constantFrom('+pcid', '-svm +topoext', 'model-id=x', 'host-cache-info=on'),
  mac: fc
    .array(fc.nat(255), { minLength: 5, maxLength: 5 })
    .map((rest) => `52:${rest.map((byte) => hex(byte, 2)).join(':')}`),
  uuid: fc.uuid(),
  id,
  pins: fc.array(cpus, { minLength: 2, maxLength: 4 }).map((all) => all.join(' ')),
  'named-pins': fc.constantFrom('io1:1', 'io1:1 io2:2-3', 'fast:4'),
  resolution: fc.constantFrom('1920x1080', '3840x2160'),
  'usb-id': fc.tuple(id, id).map((both) => both.join(':')),
  'usb-port': fc.constantFrom('1-2', '3-1.4'),
  forwards: fc.constantFrom('tcp:127.0.0.1:2222:22', 'udp:127.0.0.1:1:1 tcp:127.0.0.1:8080:80'),
  command: fc.constant('/bin/true'),
};

function textOf(key: RunKey | ProfileKey, name: string): fc.Arbitrary<string> {
  if (key.choices !== undefined) return fc.constantFrom(...key.choices);
  if (name === 'iothread') return fc.constantFrom('io1', 'io2', 'fast');
  if (['sockets', 'dies', 'cores', 'threads'].includes(name)) return number(1, 3).map(String);
  if (name === 'with') return fc.constantFrom('gpu', 'nic');
  if (name === 'model' || name === 'cpu') return fc.constantFrom('Skylake-Client', 'max');
  if (key.kind === 'size') return fc.constantFrom('64M', '1G', '3G');
  if (key.kind === 'integer')
    return number(key.range?.[0] ?? 0, Math.min(key.range?.[1] ?? 16, (key.range?.[0] ?? 0) + 16)).map(
      String,
    );
  return TEXTS[key.kind] ?? text;
}

/** A section with some of its keys. */
function sectionOf(
  section: string,
  keys: Readonly<Record<string, RunKey | ProfileKey>>,
): fc.Arbitrary<[string, string, string][]> {
  return fc
    .subarray(Object.keys(keys))
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          textOf(keys[name]!, name).map((value): [string, string, string] => [section, name, value]),
        ),
      ),
    );
}

const hostKeys = Object.entries(PROFILE_KEYS).map(([name, key]) => {
  const [section = '', own = ''] = name.split('.');
  return textOf(key, own).map((value): [string, string, string] => [section, own, value]);
});
const LABELS: Readonly<Record<string, readonly string[]>> = {
  device: ['gpu', 'sound', 'nic', 'vgpu'],
  numa: ['0', '1'],
};
const runSections = Object.entries(RUN_KEYS).flatMap(([kind, keys]) =>
  RUN_SECTIONS[kind] === 'each'
    ? (LABELS[kind] ?? ['one', 'two', 'scsi0']).map((label) => sectionOf(`${kind} ${label}`, keys))
    : [sectionOf(kind, keys)],
);
/** Where its labels are. */
export const PLACES = new Map(
  Object.entries({ gpu: '0000:01:00.0', sound: '0000:01:00.1', nic: '0000:02:00.0' }) as [
    string,
    PciAddress,
  ][],
);

/** Any valid profile: keys and values of all sections at random, what the profile's own reader refuses taken out again. */
export const anyProfile: fc.Arbitrary<AnyProfile> = fc
  .record({
    host: fc.subarray(hostKeys).chain((some) => fc.tuple(...some)),
    run: fc.subarray(runSections, { maxLength: 12 }).chain((some) => fc.tuple(...some)),
    devices: fc.subarray([...PLACES.keys()]),
    more: fc.option(fc.array(text, { minLength: 1, maxLength: 3 })),
  })
  .map(({ host, run, devices, more }) => {
    const draft = new ProfileDraft(new DropList());
    for (const label of devices) draft.set('devices', label, PLACES.get(label)!);
    for (const [section, key, value] of [...host, ...run.flat()]) draft.set(section, key, value);
    if (more !== null) draft.set('arguments', 'more', formatArgvWords(more));
    const { profile } = finishImport('g', draft, new DropList());
    return { text: profile, functions: new Map(devices.map((label) => [label, PLACES.get(label)!])) };
  });
